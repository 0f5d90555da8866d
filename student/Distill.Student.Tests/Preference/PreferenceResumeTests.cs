using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Preference;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Preference;

/// <summary>
/// A preference tuning stopped after every one of its steps and continued by fresh objects, against one left alone and against a cold
/// start.
/// </summary>
public sealed class PreferenceResumeTests : IDisposable
{
    // Six sequences a step in micro-batches of at most 32 tokens on two threads: a pair's halves are differentiated apart.
    private static readonly PreferenceOptions Plain = new()
    {
        Epochs = 3,
        PairsPerStep = 3,
        Constants = new PreferenceLossOptions { Beta = 0.5 },
        Training = new TrainingOptions { LearningRate = 2e-3, Threads = 2, MicroBatchTokens = 32, Precision = MatmulPrecision.Fp32 },
    };

    private readonly string folder = Directory.CreateTempSubdirectory("distill-preference").FullName;

    // Losses with a memory of earlier steps, of other prompts, of sorted steps, and without a reference.
    public static TheoryData<string> Cases => ["sigmoid", "bco_pair", "kto", "aot", "orpo", "ipo, held out"];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, MemberData(nameof(Cases))]
    public void A_tuning_continued_at_any_step_is_the_one_left_alone(string name)
    {
        var options = Of(name);
        var whole = Train(options, Path.Combine(folder, "end"), stopAt: int.MaxValue);
        int steps = whole.Reports.Count;
        steps.ShouldBe(6);
        for (int stop = 1; stop < steps; stop++)
        {
            string state = Path.Combine(folder, $"{stop}");
            var first = Train(options, state, stop);
            first.Result.ShouldBeNull();
            var second = Train(options, state, int.MaxValue);
            second.Weights.ShouldBe(whole.Weights, $"stopped at {stop}");
            first.Reports.Concat(second.Reports).ShouldBe(whole.Reports);
            second.Result.ShouldBe(whole.Result);
            // Cold: fewer steps without the state.
            File.Delete(state);
            Train(options with { Epochs = 1 }, state, int.MaxValue).Weights.ShouldNotBe(whole.Weights);
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_state_of_a_step_does_not_depend_on_the_stops_before_it(string name)
    {
        string one = Path.Combine(folder, "one"), two = Path.Combine(folder, "two");
        Train(Of(name), one, stopAt: 5);
        Train(Of(name), two, stopAt: 2);
        byte[] early = File.ReadAllBytes(two);
        Train(Of(name), two, stopAt: 5);
        File.ReadAllBytes(two).ShouldBe(File.ReadAllBytes(one));
        early.ShouldNotBe(File.ReadAllBytes(one));
    }

    [Fact]
    public void A_state_of_another_tuning_is_refused()
    {
        string state = Path.Combine(folder, "state");
        Train(Plain, state, stopAt: 2);
        foreach (var other in (PreferenceOptions[])[
            Plain with { Seed = 2 }, Plain with { Loss = "hinge" }, Plain with { Constants = new() }, Of("sigmoid, held out")])
            Should.Throw<UnusableStateException>(() => Train(other, state, int.MaxValue)).Message.ShouldContain("another training");
    }

    [Theory, InlineData(16, false), InlineData(24, true)]
    public void A_state_names_the_passes_that_are_not_the_fused_ones(int headSize, bool named)
    {
        string state = Path.Combine(folder, "state");
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture() with { HeadSize = headSize });
        var pairs = TinyPairs.Of(parameters.Architecture, 2);
        var constants = Plain.Constants;
        using var expected = new TrainingDigest();
        expected.Add("preference").Add(parameters.Values).Add(pairs.Select(pair => pair.Chosen)).Add(pairs.Select(pair => pair.Rejected))
            .Add(Plain.Training).Add(Plain.Loss)
            .Add(constants.Beta, constants.LabelSmoothing, constants.Gamma, constants.DesirableWeight, constants.UndesirableWeight)
            .Add(Plain.Epochs, Plain.PairsPerStep, (long)Plain.Seed, 0, 0);
        if (named) expected.Add("passes").Add(2L);
        else expected.Add("fused passes").Add(2L);
        using var stop = new CancellationTokenSource();
        Should.Throw<OperationCanceledException>(() => PreferenceTuning.Run(
            parameters, pairs, [], Plain, TimeProvider.System, state, _ => stop.Cancel(), stop.Token));
        using var file = SafeTensorsFile.Open(state);
        file.Metadata.Values.ShouldContain(expected.Finish());
    }

    private static PreferenceOptions Of(string name) => Plain with
    {
        Loss = name.Split(',')[0],
        HeldOut = name.Contains("held out", StringComparison.Ordinal) ? new HeldOutOptions(2) : null,
    };

    private static (float[] Weights, List<PreferenceStepReport> Reports, PreferenceResult? Result) Train(
        PreferenceOptions options, string? state, int stopAt)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var heldOut = new HeldOutLoss(TinyDecoder.Sequences(parameters.Architecture, 14, 18));
        using var stop = new CancellationTokenSource();
        var reports = new List<PreferenceStepReport>();
        try
        {
            var pairs = TinyPairs.Of(parameters.Architecture, 6);
            var result = PreferenceTuning.Run(parameters, pairs, options, TimeProvider.System, state, report =>
            {
                reports.Add(report with { Step = report.Step with { Seconds = 0 } });
                if (report.Step.Step == stopAt) stop.Cancel();
            }, stop.Token, heldOut);
            return (parameters.Span.ToArray(), reports, result);
        }
        catch (OperationCanceledException)
        {
            return ([], reports, null);
        }
    }
}
