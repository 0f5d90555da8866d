using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Verification;
using Distill.Generation;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Devices;
using Distill.Pipeline.Tests.Testing;
using Distill.Student.Reinforcement;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>On-policy distillation: the student samples, the teacher says what it thinks of every token.</summary>
public sealed class TeacherWeightRunTests : IDisposable
{
    private static readonly string Base = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");
    private static readonly string Reasoner = Path.Combine(RepositoryFolder.Root, "teacher/models/tiny-reasoner");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    // Jensen-Shannon's divergence of a student that writes noise rises before it falls, and at twice this rate it does not fall everywhere:
    // processors round differently.
    [Theory]
    [InlineData("token", "0.001"), InlineData("reverse", "0.001"), InlineData("forward", "0.001"), InlineData("jensen_shannon", "0.0005")]
    public void The_student_comes_closer_to_its_teacher(string divergence, string rate)
    {
        string measure = divergence == "token" ? "teacher_distance" : "teacher_divergence";
        SmallRun.Run(
            folder, new RunOptions { Until = "rl" },
            "rl.teacher_weight=1", $"rl.teacher_divergence={divergence}", "rl.steps=30", "rl.problems_per_step=8", "rl.evaluate_every=30",
            $"rl.learning_rate={rate}", "answer_only.enabled=false");
        double[] distances =
        [
            .. File.ReadLines(Path.Combine(folder.Path, "small", "5-rl", "curve.jsonl"))
                .Select(line => JsonNode.Parse(line)![measure]!.GetValue<double>()),
        ];
        distances.Length.ShouldBe(30);
        distances.TakeLast(5).Average().ShouldBeLessThan(0.85 * distances.Take(3).Average());
    }

    [Fact]
    public void The_teachers_log_probabilities_are_those_it_would_have_sampled_with()
    {
        var encoder = ChatEncoder.Load(Base);
        var problem = ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 1, Split.Train, 1)[0];
        int[] prompt = encoder.EncodePrompt(ProblemPrompt.Messages(problem));
        using var engine = ServedModel.OpenModelFolder(Reasoner, slots: 2);
        var request = new GenerationRequest { Prompt = prompt, MaxNewTokens = 40, StopTokens = [encoder.EndToken], Seeds = [3] };
        var completion = engine.Generator.Complete([request])[0][0];
        int vocabulary = Checkpoint.Open(Base).Architecture.VocabularySize;
        using var teacher = new TeacherReference(Reasoner, encoder, vocabulary, problem, 200);
        var rollout = new Rollout([.. prompt, .. completion.Tokens], prompt.Length, problem, completion, Verdict.Correct, 1);
        var scored = teacher.Score([rollout], TestContext.Current.CancellationToken)[0];
        scored.Teacher.ShouldBeNull();
        var told = teacher.Score([rollout, rollout], vocabulary, TestContext.Current.CancellationToken)[1];
        told.ReferenceLogProbabilities.ShouldBe(scored.ReferenceLogProbabilities);
        told.Teacher!.LogProbabilities.Length.ShouldBe(completion.Tokens.Count * vocabulary);
        told.Teacher.LogProbabilitiesAt(1).ToArray().Sum(value => Math.Exp((double)value)).ShouldBe(1, 1e-5);
        told.Teacher.LogProbabilitiesAt(1)[told.Teacher.IdsAt(1).IndexOf(completion.Tokens[1])]
            .ShouldBe(scored.ReferenceLogProbabilities[1], 1e-6f);
        scored.ReferenceLogProbabilities.Count.ShouldBe(completion.Tokens.Count);
        for (int i = 0; i < completion.Tokens.Count; i++)
            scored.ReferenceLogProbabilities[i].ShouldBe(completion.LogProbabilities[i], 1e-4f);
    }

    // A loop over threads would otherwise make a fault of it, and an interrupted run would end as a failed one.
    [Fact]
    public void Cancelling_while_the_teacher_reads_is_a_cancellation()
    {
        var encoder = ChatEncoder.Load(Base);
        var problem = ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 1, Split.Train, 1)[0];
        int[] prompt = encoder.EncodePrompt(ProblemPrompt.Messages(problem));
        using var teacher = new TeacherReference(Reasoner, encoder, Checkpoint.Open(Base).Architecture.VocabularySize, problem, 200);
        using var cancellation = new CancellationTokenSource();
        var completion = new Completion([5], [-1f], StopReason.StopToken, 1);
        var rollouts = new CancellingRollouts(
            new Rollout([.. prompt, 5], prompt.Length, problem, completion, Verdict.Correct, 1), cancellation);
        Should.Throw<OperationCanceledException>(() => teacher.Score(rollouts, cancellation.Token));
    }

    /// <summary>Cancels once it is being read.</summary>
    private sealed class CancellingRollouts(Rollout rollout, CancellationTokenSource cancellation) : IReadOnlyList<Rollout>
    {
        public int Count => 8;

        public Rollout this[int index]
        {
            get
            {
                if (index >= 2) cancellation.Cancel();
                return rollout;
            }
        }

        public IEnumerator<Rollout> GetEnumerator() => Enumerable.Repeat(rollout, Count).GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    // No machine has so many cards: what is to be scored there is not scored elsewhere.
    [Fact]
    public void The_teacher_reads_completions_on_the_device_of_the_teacher()
    {
        var (made, _) = SmallRun.Run(folder, new RunOptions { Name = "made", Until = "traces" }, "problems.train=24");
        var facts = CudaSetups.Whole with
        {
            Driver = CudaSetups.Whole.Driver with
                { Cards = [.. Enumerable.Range(0, 16).Select(card => CudaSetups.Hopper with { Number = card })] },
        };
        string text = SmallRun.Text.Replace(", samples: 1, max_tokens: 96, slots: 16", "", StringComparison.Ordinal);
        var recipe = (DistillationRecipe)RecipeFile.Parse(text, "small.yaml", RepositoryFolder.Root,
        [
            $"traces.from={made.Folder}", $"teacher.model={Base}", "teacher.device=cuda:15", "student.device=cpu", "problems.train=24",
            "sft.enabled=false", "rl.teacher_weight=1",
        ]) with
        { Devices = new RecipeDevices(() => facts) };
        Should.Throw<DeviceUnavailableException>(() => PipelineRun.Run(
                recipe, new RunOptions { RunsFolder = folder.Path, Until = "rl" }, new RecordingObserver(), TimeProvider.System,
                TestContext.Current.CancellationToken))
            .Message.ShouldContain("cuda:15 was asked for");
    }

    [Fact]
    public void A_teacher_of_another_vocabulary_is_refused()
    {
        var problem = ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 1, Split.Train, 1)[0];
        Should.Throw<InvalidDataException>(() => new TeacherReference(Reasoner, ChatEncoder.Load(Base), 99, problem, 200))
            .Message.ShouldContain("one tokenizer");
    }
}
