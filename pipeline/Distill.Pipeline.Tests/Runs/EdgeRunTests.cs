using System.Text.Json.Nodes;
using Distill.Data.Traces;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Training;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Reinforcement on problems at the edge of what the student can do.</summary>
public sealed class EdgeRunTests : IDisposable
{
    private static readonly string[] Edged =
    [
        "problems.train=400", "sft.epochs=8", "answer_only.enabled=false", "rl.edge={ samples: 3, problems: 60 }", "rl.steps=3",
        "rl.weight_average=0.5", "rl.resample_rounds=1",
    ];

    private readonly TemporaryFolder folder = new(), other = new();

    public void Dispose()
    {
        folder.Dispose();
        other.Dispose();
    }

    [Fact]
    public void Problems_within_the_bounds_are_chosen_in_their_order_and_all_where_they_are_too_few()
    {
        var train = TinyReinforcement.Problems.Take(6).ToList();
        double[] rates = [0, 0.25, 1, 0.75, 0.5]; // the sixth was not asked
        var known = rates.Index().ToDictionary(rate => train[rate.Index].Id, rate => rate.Item);
        var edge = EdgeProblems.Of(train, known, 0.25, 0.75, least: 3);
        edge.Problems.ShouldBe([train[1], train[3], train[4]]);
        (edge.Found, edge.Asked).ShouldBe((3, 5));
        EdgeProblems.Of(train, known, 0.3, 0.75, least: 3).Problems.ShouldBe(train);
        EdgeProblems.Of(train, known, 0.3, 0.75, least: 3).Found.ShouldBe(2);
        EdgeProblems.Of(train, known, 0, 1, least: 1).Problems.ShouldBe(train.Take(5));
    }

    [Fact]
    public void The_student_is_asked_once_for_all_trainings_and_an_interrupted_one_ends_as_one_left_alone()
    {
        var (_, observer) = SmallRun.Run(folder, new RunOptions { Until = "rl" }, Edged);
        observer.Done.Skip(observer.Done.Count() - 3).ShouldBe(["sft", "edge", "rl"]);
        var traces = TraceFile.Read(Path.Combine(folder.Path, "small/5-edge/data/train-00000.parquet")).ToList();
        traces.Count.ShouldBe(60 * 3);
        traces.ShouldAllBe(trace => trace.Teacher == "sft");
        observer.Summaries["rl"].ShouldMatch(
            "^sampled [0-9.]+ % → [0-9.]+ %, greedy [0-9.]+ % → [0-9.]+ % on 8 validation problems at step [0-3].*; [0-9]+ of 60 training "
            + "problems at the edge; [0-9]+ of 12 groups stayed dead$");
        var curve = File.ReadLines(Path.Combine(folder.Path, "small/5-rl/curve.jsonl")).Select(line => JsonNode.Parse(line)!).ToList();
        curve.ShouldAllBe(line => line["held_out"] != null && line["held_out_greedy"] != null && line["stayed_dead"] != null);
        SmallRun.Run(folder, new RunOptions { Until = "rl" }, [.. Edged, "rl.learning_rate=0.001", "rl.edge.max_pass_rate=0.7"])
            .Observer.Done.ShouldBe(["rl"]);
        SmallRun.Run(folder, new RunOptions { Until = "rl" }, Edged);
        // Other slots, and stopped between two updates.
        string[] elsewhere = [.. Edged, "evaluation.slots=5"];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var options = new RunOptions { RunsFolder = other.Path, Until = "rl" };
        var stopping = new RecordingObserver
        {
            AfterStep = step =>
            {
                if (step == 2) stop.Cancel();
            },
        };
        SmallRun.Run(other, new RunOptions { Until = "edge" }, elsewhere);
        Should.Throw<OperationCanceledException>(() =>
            PipelineRun.Run(SmallRun.Parse(elsewhere), options, stopping, TimeProvider.System, stop.Token));
        SmallRun.Run(other, new RunOptions { Until = "rl" }, elsewhere).Observer.Done.ShouldBe(["rl"]);
        foreach (string file in (string[])["5-edge/data/train-00000.parquet", "5-rl/checkpoint/model.safetensors", "5-rl/curve.jsonl"])
        {
            byte[] left = File.ReadAllBytes(Path.Combine(folder.Path, "small", file));
            File.ReadAllBytes(Path.Combine(other.Path, "small", file)).SequenceEqual(left).ShouldBeTrue(file);
        }
    }

    [Fact]
    public void A_student_with_too_few_such_problems_draws_from_all_and_the_run_says_so()
    {
        var (_, observer) = SmallRun.Run(
            folder, new RunOptions { Until = "rl" },
            "answer_only.enabled=false", "problems.train=8", "sft.epochs=1", "rl.max_tokens=8", "rl.edge={}");
        observer.Warnings.ShouldHaveSingleItem().ShouldContain("all 8 are drawn from: widen rl.edge.min_pass_rate");
        observer.Summaries["rl"].ShouldContain("0 of 8 training problems at the edge");
    }
}
