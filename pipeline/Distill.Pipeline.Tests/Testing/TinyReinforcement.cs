using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Export;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Reinforcement;
using Distill.Student.Training;
using Distill.Tokenization;
using Distill.Verification;

namespace Distill.Pipeline.Tests.Testing;

/// <summary>Reinforcement of the committed base with real rollouts, as small as it can be.</summary>
internal static class TinyReinforcement
{
    private static readonly string Base = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");

    public static GroupRelativeOptions Plain { get; } = new()
    {
        Steps = 4,
        ProblemsPerStep = 3,
        Samples = 4,
        MaxTokens = 12,
        EvaluateEvery = 1,
        MaskTruncated = false,
        Training = new TrainingOptions { LearningRate = 1e-3, Decay = Decay.Constant, Precision = MatmulPrecision.Fp32 },
    };

    public static IReadOnlyList<Problem> Problems { get; } =
        ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 1, Split.Train, 40);

    /// <summary>Looked at; four of them.</summary>
    public static IReadOnlyList<Problem> HeldOut { get; } = [.. Problems.Take(4)];

    /// <summary>Even sums of token ids count as right, so that groups differ within themselves.</summary>
    public static CompletionJudge EvenSums { get; } =
        (_, completion) => completion.Tokens.Sum() % 2 == 0 ? Verdict.Correct : Verdict.Incorrect;

    public static float[] Start()
    {
        var checkpoint = Checkpoint.Open(Base);
        using var parameters = new FlatParameters(checkpoint.Architecture);
        parameters.Load(checkpoint.LoadWeights());
        return parameters.Span.ToArray();
    }

    /// <param name="afterStep">Sees the weights after every step.</param>
    public static (float[] Weights, ReinforcementResult Result, List<ReinforcementStepReport> Reports) Train(
        GroupRelativeOptions options, string? state = null, int stopAfter = int.MaxValue, CompletionJudge? judge = null,
        Action<FlatParameters>? afterStep = null)
    {
        var checkpoint = Checkpoint.Open(Base);
        using var parameters = new FlatParameters(checkpoint.Architecture);
        parameters.Load(checkpoint.LoadWeights());
        using var stop = new CancellationTokenSource();
        var reports = new List<ReinforcementStepReport>();
        var collection = new RolloutCollection(ChatEncoder.Load(Base), judge ?? EvenSums, options);
        using var server = new LivePolicyServer(checkpoint.Architecture);
        var result = new GroupRelativePolicyOptimization(server, collection, options, TimeProvider.System).Run(
            parameters, (step, place) => Problems[((step * 13) + place) % Problems.Count], HeldOut, state, report =>
            {
                reports.Add(report);
                afterStep?.Invoke(parameters);
                if (report.Step == stopAfter) stop.Cancel();
            }, stop.Token);
        return (parameters.Span.ToArray(), result, reports);
    }
}
