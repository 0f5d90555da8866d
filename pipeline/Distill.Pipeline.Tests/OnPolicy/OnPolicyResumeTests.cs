using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Export;
using Distill.Pipeline.Models;
using Distill.Pipeline.Tests.Runs;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Reinforcement;
using Distill.Student.Training;
using Distill.Tokenization;
using Distill.Verification;
using static TorchSharp.torch;

namespace Distill.Pipeline.Tests.OnPolicy;

/// <summary>Distillation of the teacher's whole distributions, with real rollouts of the committed base and teacher.</summary>
[Collection(nameof(CountedTensors))]
public sealed class OnPolicyResumeTests : IDisposable
{
    private const int Steps = 3;

    private static readonly string Base = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");
    private static readonly string Reasoner = Path.Combine(RepositoryFolder.Root, "teacher/models/tiny-reasoner");

    private readonly TemporaryFolder folder = new();
    private readonly IReadOnlyList<Problem> problems = ProblemSet.Generate([new ProblemSetPart("arithmetic", 1)], 1, Split.Train, 6);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_distillation_continued_at_any_step_equals_an_undisturbed_one()
    {
        var whole = Train(null, int.MaxValue);
        whole.Reports.ShouldAllBe(report => report.TeacherDivergence > 0 && report.GradientNorm > 0);
        for (int stop = 1; stop < Steps; stop++)
        {
            string state = Path.Combine(folder.Path, $"{stop}.safetensors");
            Train(state, stop).Reports.Count.ShouldBe(stop);
            Train(state, int.MaxValue).Weights.ShouldBe(whole.Weights, $"stopped at {stop}");
        }
    }

    [Theory]
    [InlineData(TeacherDivergence.Token, 570, 0.5), InlineData(TeacherDivergence.Forward, 570, 0.5)]
    [InlineData(TeacherDivergence.Reverse, 64, 0.5), InlineData(TeacherDivergence.JensenShannon, 570, 0.5)]
    public void A_state_of_another_divergence_is_refused(TeacherDivergence divergence, int top, double beta)
    {
        string state = Path.Combine(folder.Path, "state.safetensors");
        Train(state, stopAfter: 1);
        Should.Throw<UnusableStateException>(
            () => Train(state, int.MaxValue, options => options with
            {
                TeacherDivergence = divergence, TeacherTop = top, TeacherBeta = beta,
            })).Message.ShouldContain("another training");
    }

    [Fact]
    public void No_step_leaves_a_tensor()
    {
        var counts = new List<long>();
        Train(null, int.MaxValue, afterStep: () => counts.Add(Tensor.TotalCount));
        counts[2].ShouldBeLessThanOrEqualTo(counts[1]);
    }

    [Fact]
    public void A_teacher_that_tells_of_tokens_alone_is_refused()
    {
        using var start = Parameters();
        using var reference = new PolicyReference(start, Options);
        Should.Throw<InvalidOperationException>(() => Train(null, int.MaxValue, teacher: reference)).Message
            .ShouldContain("no distributions");
    }

    private static GroupRelativeOptions Options => new()
    {
        Steps = Steps,
        ProblemsPerStep = 2,
        Samples = 3,
        MaxTokens = 12,
        EvaluateEvery = 2,
        MaskTruncated = false,
        TeacherWeight = 1,
        TeacherDivergence = TeacherDivergence.Reverse,
        TeacherTop = 570,
        Training = new TrainingOptions { LearningRate = 1e-3, Decay = Decay.Constant, Precision = MatmulPrecision.Fp32, Threads = 1 },
    };

    private static FlatParameters Parameters()
    {
        var checkpoint = Checkpoint.Open(Base);
        var parameters = new FlatParameters(checkpoint.Architecture);
        parameters.Load(checkpoint.LoadWeights());
        return parameters;
    }

    private (float[] Weights, List<ReinforcementStepReport> Reports) Train(
        string? state, int stopAfter, Func<GroupRelativeOptions, GroupRelativeOptions>? change = null, Action? afterStep = null,
        IReferencePolicy? teacher = null)
    {
        var options = change is null ? Options : change(Options);
        var encoder = ChatEncoder.Load(Base);
        using var parameters = Parameters();
        using var reader = new TeacherReference(Reasoner, encoder, parameters.Architecture.VocabularySize, problems[0], 400);
        using var server = new LivePolicyServer(parameters.Architecture);
        using var stop = new CancellationTokenSource();
        var collection = new RolloutCollection(encoder, (_, _) => Verdict.Incorrect, options);
        var reports = new List<ReinforcementStepReport>();
        try
        {
            new GroupRelativePolicyOptimization(server, collection, options, TimeProvider.System, teacher ?? reader).Run(
                parameters, (step, place) => problems[((step * 2) + place) % problems.Count], problems, state, report =>
                {
                    reports.Add(report);
                    afterStep?.Invoke();
                    if (report.Step == stopAfter) stop.Cancel();
                }, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // stopped as asked; the state stands
        }

        return (parameters.Span.ToArray(), reports);
    }
}
