using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Data.Verification;
using Distill.Export;
using Distill.Pipeline.Tests.Testing;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Reinforcement;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>Reinforcement saved and continued against reinforcement left alone, with real rollouts of the committed base.</summary>
public sealed class ReinforcementResumeTests : IDisposable
{
    private static readonly string Base = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");

    private readonly TemporaryFolder folder = new();
    private readonly IReadOnlyList<Problem> problems = ProblemSet.Generate([new MixturePart("arithmetic", 1)], 1, Split.Train, 12);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_continued_reinforcement_equals_an_undisturbed_one_and_differs_from_a_cold_start()
    {
        string state = Path.Combine(folder.Path, "state.safetensors");
        float[] whole = Train(null, stopAfter: int.MaxValue);
        Should.Throw<OperationCanceledException>(() => Train(state, stopAfter: 2));
        float[] resumed = Train(state, stopAfter: int.MaxValue);
        resumed.ShouldBe(whole);
        Train(null, stopAfter: int.MaxValue, seed: 2).ShouldNotBe(whole);
    }

    private float[] Train(string? state, int stopAfter, ulong seed = 1)
    {
        var checkpoint = Checkpoint.Open(Base);
        using var parameters = new FlatParameters(checkpoint.Architecture);
        parameters.Load(checkpoint.LoadWeights());
        var options = new GroupRelativeOptions
        {
            Steps = 4,
            ProblemsPerStep = 3,
            Samples = 4,
            MaxTokens = 12,
            EvaluateEvery = 2,
            MaskTruncated = false,
            Seed = seed,
            Training = new TrainingOptions { LearningRate = 1e-3, Decay = Decay.Constant, Precision = MatmulPrecision.Float32 },
        };
        bool learned = false;
        using var stop = new CancellationTokenSource();
        // Even sums of token ids count as right, so that groups differ within themselves and every step learns.
        var collection = new RolloutCollection(ChatEncoder.Load(Base), (_, completion) => completion.Tokens.Sum() % 2 == 0 ? Verdict.Correct : Verdict.Incorrect, options);
        new GroupRelativePolicyOptimization(new OnnxPolicyServer(checkpoint.Architecture), collection, options, TimeProvider.System).Run(
            parameters, (step, place) => problems[(step * 3) + place], problems, state, report =>
            {
                learned |= report.GradientNorm > 0;
                if (report.Step == stopAfter) stop.Cancel();
            }, stop.Token);
        learned.ShouldBeTrue(); // groups whose rewards are all equal teach nothing
        return parameters.Span.ToArray();
    }
}
