using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Preference;
using Distill.Student.Supervised;
using Distill.Student.Tests.Preference;
using Distill.Student.Training;

namespace Distill.Student.Tests.Training;

/// <summary>What a training says when its numbers are no longer finite; an optimizer's update of such a gradient changes nothing.</summary>
public sealed class DivergenceTests
{
    private static readonly TrainingOptions Options =
        new() { Threads = 2, MicroBatchTokens = 128, Precision = MatmulPrecision.Fp32, WarmupShare = 0 };

    [Fact]
    public void A_base_that_is_not_finite_is_refused_by_the_name_of_its_tensor()
    {
        using var parameters = Broken("model.layers.1.mlp.up_proj.weight");
        var refused = Should.Throw<TrainingDivergedException>(() => Tune(parameters, Options));
        (refused.Step, refused.LastLosses.Count).ShouldBe((0, 0));
        refused.Message.ShouldContain("'model.layers.1.mlp.up_proj.weight'");
        Should.Throw<TrainingDivergedException>(() => Prefer(parameters, Options)).Message.ShouldContain(
            "'model.layers.1.mlp.up_proj.weight'");
    }

    [Fact]
    public void A_rate_far_too_high_ends_with_the_step_the_losses_and_the_remedy()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var diverged = Should.Throw<TrainingDivergedException>(() => Tune(parameters, Options with { LearningRate = 1e38 }));
        diverged.Step.ShouldBeGreaterThan(1);
        diverged.LastLosses.Count.ShouldBe(Math.Min(6, diverged.Step));
        diverged.LastLosses[0].ShouldBeInRange(1, 20);
        double.IsFinite(diverged.LastLosses[^1]).ShouldBeFalse();
        diverged.Message.ShouldContain($"at step {diverged.Step} of 30");
        diverged.Message.ShouldContain("1E+38 at its peak");
        diverged.Message.ShouldContain("warm up longer");
    }

    [Fact]
    public void Preference_tuning_says_the_same()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        Should.Throw<TrainingDivergedException>(() => Prefer(parameters, Options with { LearningRate = 1e38 })).Message.ShouldContain(
            "Lower the learning rate");
    }

    // One step alone: no further loss tells of the weights it left.
    [Fact]
    public void A_last_update_that_breaks_the_weights_gives_no_result()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var options =
            new SupervisedOptions { Epochs = 1, BatchTokens = 1000,
            Training = Options with { LearningRate = 1e39, Optimizer = new AdamWOptions(WeightDecay: 1) } };
        var diverged = Should.Throw<TrainingDivergedException>(() => Run(parameters, options));
        diverged.Step.ShouldBe(1);
        diverged.Message.ShouldContain("is not finite after the last update");
    }

    // Every value is a number, their squares are not: neither an update nor a refusal, where skipping was asked for.
    [Theory]
    [InlineData(1e25f, 1.0)]
    [InlineData(float.NaN, 1.0)]
    [InlineData(0.1f, double.NaN)]
    public void What_may_be_skipped_is_what_would_have_been_refused(float slope, double loss)
    {
        foreach (bool byTensors in (bool[])[false, true])
        {
            using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
            using var optimizer = new AdamW(parameters, new AdamWOptions());
            var watch = new DivergenceWatch(parameters, optimizer, Options.ToSchedule(), 5);
            using var gradient = TorchSharp.torch.full([parameters.Count], slope, TorchSharp.torch.ScalarType.Float32);
            float[] before = parameters.Span.ToArray();
            watch.UpdateOrSkip(gradient, 1e-3, loss).ShouldBe(double.NaN);
            (optimizer.Steps, parameters.Span.SequenceEqual(before)).ShouldBe((0, true));
            Should.Throw<TrainingDivergedException>(() => watch.Update(gradient, 1e-3, loss)).LastLosses.ShouldBe([loss]);
        }
    }

    private static FlatParameters Broken(string name)
    {
        var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        parameters.SpanOf(name)[5] = float.NaN;
        return parameters;
    }

    private static void Tune(FlatParameters parameters, TrainingOptions options) =>
        Run(parameters, new SupervisedOptions { Epochs = 30, BatchTokens = 1000, Training = options });

    private static void Run(FlatParameters parameters, SupervisedOptions options) => SupervisedFineTuning.Run(
        parameters, TinyDecoder.Sequences(parameters.Architecture, 12, 15, 20), options, TimeProvider.System, statePath: null, _ => { },
        TestContext.Current.CancellationToken);

    private static void Prefer(FlatParameters parameters, TrainingOptions options) => PreferenceTuning.Run(
        parameters, TinyPairs.Of(parameters.Architecture, 6), new PreferenceOptions { Epochs = 10, PairsPerStep = 3, Training = options },
        TimeProvider.System,
        statePath: null, _ => { }, TestContext.Current.CancellationToken);
}
