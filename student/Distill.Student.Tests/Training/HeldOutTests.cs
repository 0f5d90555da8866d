using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Training;

public sealed class HeldOutTests
{
    private static readonly SupervisedOptions Options = new()
    {
        Epochs = 30,
        BatchTokens = 1000,
        HeldOut = new HeldOutOptions(Every: 2, Patience: 3),
        Training = new TrainingOptions { LearningRate = 1e-2, Threads = 1, MicroBatchTokens = 128, Precision = MatmulPrecision.Fp32 },
    };

    [Fact]
    public void A_training_ends_when_held_out_loss_stops_falling_with_the_weights_that_did_best()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 20, 25, 30, 35, 12, 18);
        var measure = new HeldOutLoss([.. sequences.Skip(4)]); // random tokens: nothing learned carries over, so the loss soon rises
        var looks = new List<HeldOutLook>();
        var reports = new List<StepReport>();
        var result = Run(parameters, sequences, Options, measure, looks, reports);
        result.Steps.ShouldBeLessThan(30);
        result.Best.ShouldBe(looks.MinBy(look => look.Value));
        result.Best!.Step.ShouldBe(result.Steps - 6); // three looks, two steps apart
        reports.Where(report => report.HeldOut is not null).Select(report => new HeldOutLook(report.Step, report.HeldOut!.Value))
            .ShouldBe(looks);
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, 128);
        measure.Of(model, TestContext.Current.CancellationToken).ShouldBe(result.Best.Value, 1e-9);
    }

    [Fact]
    public void Looking_alone_changes_nothing_before_the_end()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        using var plain = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 20, 25, 30, 35, 12, 18);
        List<StepReport> looked = [], unlooked = [];
        Run(parameters, sequences, Options with { HeldOut = new HeldOutOptions(4), WeightAverage = 0.9 },
            new HeldOutLoss([.. sequences.Skip(4)]), [], looked);
        Run(plain, sequences, Options with { HeldOut = null }, null, [], unlooked);
        looked.Count.ShouldBe(30);
        looked.Select(report => (report.Step, report.Loss, report.GradientNorm))
            .ShouldBe(unlooked.Select(report => (report.Step, report.Loss, report.GradientNorm)));
        looked.Where(report => report.HeldOut is not null).Select(report => report.Step).ShouldBe([4, 8, 12, 16, 20, 24, 28, 30]);
    }

    [Fact]
    public void A_value_that_is_higher_when_better_is_followed_upwards()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var looks = new List<HeldOutLook>();
        var result =
            Run(parameters, TinyDecoder.Sequences(parameters.Architecture, 20, 25), Options,
            new Scripted([0.1, 0.5, 0.5, 0.4, 0.2, 0.9]), looks, []);
        looks.Count.ShouldBe(5); // three looks after the first 0.5
        result.Best.ShouldBe(new HeldOutLook(4, 0.5));
    }

    private static SupervisedResult Run(
        FlatParameters parameters, List<TrainingSequence> sequences, SupervisedOptions options, IHeldOutMeasure? measure,
        List<HeldOutLook> looks, List<StepReport> reports) => SupervisedFineTuning.Run(
            parameters, [.. sequences.Take(4)], options, TimeProvider.System, null, reports.Add, TestContext.Current.CancellationToken,
            measure, looks.Add);

    private sealed class Scripted(double[] values) : IHeldOutMeasure
    {
        private int next;

        public string Name => "scripted";

        public bool HigherIsBetter => true;

        public int Longest => 0;

        public double Of(IGradientModel model, CancellationToken cancellation) => values[next++];

        public void AddTo(TrainingDigest digest) => digest.Add(values);
    }
}
