using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Verification;
using Distill.Export;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Monitoring;
using Distill.Student.Reinforcement;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Reinforcement saved and continued against reinforcement left alone, with real rollouts of the committed base.</summary>
public sealed class ReinforcementResumeTests : IDisposable
{
    private static readonly string Base = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");

    private const int Steps = 5;

    private readonly TemporaryFolder folder = new();
    private readonly IReadOnlyList<Problem> problems = ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 1, Split.Train, 12);

    public void Dispose() => folder.Dispose();

    // With looks at every second step, alarms over three and a reference: everything that the state carries.
    [Theory]
    [InlineData("")]
    [InlineData("averaged")]
    [InlineData("averaged, resampled")]
    public void A_reinforcement_continued_at_any_step_equals_an_undisturbed_one_and_differs_from_a_cold_start(string kind)
    {
        var whole = Train(null, stopAfter: int.MaxValue, kind: kind);
        whole.Reports.ShouldContain(report => report.GradientNorm > 0); // groups whose rewards are all equal teach nothing
        whole.Result!.Findings.ShouldHaveSingleItem().Step.ShouldBe(3);
        for (int stop = 1; stop < Steps; stop++)
        {
            string state = Path.Combine(folder.Path, $"{stop}.safetensors");
            var first = Train(state, stop, kind: kind);
            first.Result.ShouldBeNull();
            var second = Train(state, stopAfter: int.MaxValue, kind: kind);
            second.Weights.ShouldBe(whole.Weights, $"stopped at {stop}");
            first.Reports.Concat(second.Reports).Select(Comparable).ShouldBe(whole.Reports.Select(Comparable));
            second.Result!.Findings.ShouldBe(whole.Result.Findings);
            (second.Result with { Findings = [] }).ShouldBe(whole.Result with { Findings = [] });
            var cold = Train(null, stop, kind: kind);
            cold.Reports.Select(Comparable).ShouldBe(first.Reports.Select(Comparable));
            cold.Reports.Select(Comparable).ShouldNotBe(second.Reports.Select(Comparable));
        }

        Train(null, stopAfter: int.MaxValue, seed: 2, kind: kind).Weights.ShouldNotBe(whole.Weights);
    }

    [Fact]
    public void The_state_of_a_step_does_not_depend_on_the_stops_before_it()
    {
        string one = Path.Combine(folder.Path, "one.safetensors"), two = Path.Combine(folder.Path, "two.safetensors");
        Train(one, stopAfter: 3, kind: "averaged");
        Train(two, stopAfter: 1, kind: "averaged");
        Train(two, stopAfter: 2, kind: "averaged");
        Train(two, stopAfter: 3, kind: "averaged");
        File.ReadAllBytes(two).ShouldBe(File.ReadAllBytes(one));
    }

    [Fact]
    public void A_state_of_another_reinforcement_is_refused()
    {
        string state = Path.Combine(folder.Path, "state.safetensors");
        Train(state, stopAfter: 1);
        Should.Throw<UnusableStateException>(() => Train(state, int.MaxValue, seed: 2)).Message.ShouldContain("another training");
        Should.Throw<UnusableStateException>(() => Train(state, int.MaxValue, kind: "averaged")).Message.ShouldContain("another training");
    }

    // Times differ; the parts of the reward are told apart by their text.
    private static string Comparable(ReinforcementStepReport report)
    {
        double[] measures =
            [report.MeanReward, report.Entropy, report.GradientNorm, report.Mismatch, report.LargestMismatch];
        var plain = report with
        {
            GenerationSeconds = 0,
            TrainingSeconds = 0,
            RewardParts = new Dictionary<string, double>(),
            Findings = [],
        };
        return plain.ToString() + string.Join(";", report.RewardParts) + string.Join(";", report.Findings)
            + string.Join(";", measures.Select(BitConverter.DoubleToInt64Bits));
    }

    private (float[] Weights, List<ReinforcementStepReport> Reports, ReinforcementResult? Result) Train(
        string? state, int stopAfter, ulong seed = 1, string kind = "")
    {
        var checkpoint = Checkpoint.Open(Base);
        using var parameters = new FlatParameters(checkpoint.Architecture);
        parameters.Load(checkpoint.LoadWeights());
        var options = new GroupRelativeOptions
        {
            Steps = Steps,
            ProblemsPerStep = 3,
            Samples = 4,
            MaxTokens = 12,
            EvaluateEvery = 2,
            MaskTruncated = false,
            ReferenceWeight = 0.1,
            WeightAverage = kind.Contains("averaged", StringComparison.Ordinal) ? 0.7 : null,
            ResampleRounds = kind.Contains("resampled", StringComparison.Ordinal) ? 2 : 0,
            Alarms = [new TruncationAlarm(0.01, 3, stops: false), new HeldOutPatience(9)],
            Seed = seed,
            Training = new TrainingOptions { LearningRate = 1e-3, Decay = Decay.Constant, Precision = MatmulPrecision.Fp32, Threads = 1 },
        };
        var reports = new List<ReinforcementStepReport>();
        using var stop = new CancellationTokenSource();
        // Even sums of token ids count as right, so that groups differ within themselves and every step learns.
        var collection = new RolloutCollection(
            ChatEncoder.Load(Base),
            (_, completion) => completion.Tokens.Sum() % 2 == 0 ? Verdict.Correct : Verdict.Incorrect,
            options);
        try
        {
            using var server = new LivePolicyServer(checkpoint.Architecture);
            var result = new GroupRelativePolicyOptimization(server, collection, options, TimeProvider.System).Run(
                parameters, (step, place) => problems[((step * 3) + place) % problems.Count], problems, state, report =>
                {
                    reports.Add(report);
                    if (report.Step == stopAfter) stop.Cancel();
                }, stop.Token);
            return (parameters.Span.ToArray(), reports, result);
        }
        catch (OperationCanceledException)
        {
            return (parameters.Span.ToArray(), reports, null);
        }
    }
}
