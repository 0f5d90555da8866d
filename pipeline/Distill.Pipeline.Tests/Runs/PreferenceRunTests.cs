using System.Text.Json.Nodes;
using Distill.Data.Traces;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Preference tuning through the whole pipeline.</summary>
public sealed class PreferenceRunTests : IDisposable
{
    // Enough fine-tuning that some completions are right, and not all.
    private static readonly string[] Tuned =
    [
        "problems.train=400", "sft.epochs=8", "answer_only.enabled=false",
        "preference.problems=96", "preference.samples=4", "preference.max_tokens=64", "preference.pairs_per_step=4",
        "preference.evaluate_every=2", "preference.validation_problems=8",
    ];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_student_is_tuned_on_its_own_completions_and_then_reinforced()
    {
        var (_, observer) = SmallRun.Run(folder, null, Tuned);
        observer.Done.ShouldBe(
            [
                "problems/train", "problems/validation", "problems/test", "problems/twins",
                "traces", "curated", "sft", "samples", "preference", "rl", "onnx", "parity",
                "evaluation/teacher", "evaluation/base", "evaluation/sft", "evaluation/preference",
                "evaluation/rl", "evaluation/onnx", "model",
            ]);
        string run = Path.Combine(folder.Path, "small"), stage = Path.Combine(run, "5-preference");
        var completions = TraceFile.Read(Path.Combine(run, "5-samples/data/train-00000.parquet")).ToList();
        completions.Count.ShouldBe(96 * 4);
        completions.ShouldAllBe(trace => trace.Teacher == "sft" && trace.TokenIds.Count == trace.CompletionTokens);
        var curve = File.ReadLines(Path.Combine(stage, "curve.jsonl")).Select(line => JsonNode.Parse(line)!).ToList();
        curve.Count.ShouldBeGreaterThan(1);
        curve[0]["reward_chosen"]!.GetValue<double>().ShouldBe(0, 1e-5); // the start is the reference
        curve[^1]["held_out_accuracy"].ShouldNotBeNull();
        var report = JsonNode.Parse(File.ReadAllText(Path.Combine(run, "report.json")))!;
        report["evaluations"]!.AsArray().Select(row => row!["model"]!.GetValue<string>())
            .ShouldBe(["teacher", "base", "sft", "preference", "rl", "onnx"]);
        var stages = report["stages"]!.AsArray()
            .ToDictionary(entry => entry!["name"]!.GetValue<string>(), entry => entry!["inputs"]!.AsObject());
        stages["rl"].ShouldContainKey("preference");
        stages["rl"].ShouldNotContainKey("sft");
        File.ReadAllText(Path.Combine(run, "report.html")).ShouldContain("reward margin");
    }

    [Fact]
    public void The_tuned_student_is_exported_where_there_is_no_reinforcement_and_another_loss_is_another_student()
    {
        string[] brief = [.. Tuned, "rl.steps=0", "preference.learning_rate=0.001", "preference.evaluate_every=0"];
        var (_, first) = SmallRun.Run(folder, new RunOptions { Until = "parity" }, brief);
        first.Done.ShouldBe(
        [
            "problems/train", "problems/validation", "problems/test",
            "traces", "curated", "sft", "samples", "preference", "onnx", "parity",
        ]);
        byte[] weights = Weights();
        var (_, second) = SmallRun.Run(folder, new RunOptions { Until = "parity" }, [.. brief, "preference.loss=kto"]);
        second.Done.ShouldBe(["preference", "onnx", "parity"]);
        Weights().SequenceEqual(weights).ShouldBeFalse();
    }

    [Fact]
    public void A_student_without_right_completions_stays_as_it_is_and_the_run_says_so()
    {
        var (_, observer) = SmallRun.Run(
            folder, new RunOptions { Until = "preference" },
            "answer_only.enabled=false", "problems.train=8", "sft.epochs=1", "preference.max_tokens=8");
        observer.Warnings.ShouldHaveSingleItem().ShouldContain("raise preference.samples");
        Weights().SequenceEqual(File.ReadAllBytes(Path.Combine(folder.Path, "small/4-sft/checkpoint/model.safetensors"))).ShouldBeTrue();
    }

    private byte[] Weights() => File.ReadAllBytes(Path.Combine(folder.Path, "small/5-preference/checkpoint/model.safetensors"));
}
