using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Training;

[Collection(nameof(CountedTensors))]
public sealed class SupervisedLoopTests
{
    private static readonly TrainingOptions Options =
        new() { LearningRate = 3e-3, Threads = 2, MicroBatchTokens = 128, Precision = MatmulPrecision.Fp32 };

    [Fact]
    public void Fine_tuning_learns_its_examples()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var examples = TinyDecoder.Sequences(parameters.Architecture, 12, 15, 20, 25);
        var losses = new List<double>();
        SupervisedFineTuning.Run(
            parameters, examples, new SupervisedOptions { Epochs = 120, BatchTokens = 1000, Training = Options }, TimeProvider.System,
            statePath: null,
            report => losses.Add(report.Loss), TestContext.Current.CancellationToken);
        losses.Count.ShouldBe(120);
        losses[^1].ShouldBeLessThan(losses[0] / 10);
    }

    [Theory]
    [InlineData(MatmulPrecision.Fp32)]
    [InlineData(MatmulPrecision.Mixed)]
    public void A_training_that_was_saved_and_continued_equals_one_that_was_not_and_differs_from_a_cold_start(MatmulPrecision precision)
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("distill-state").FullName, "state.safetensors");
        float[] whole = Train(precision, stopAt: int.MaxValue, path: null), first = Train(precision, stopAt: 5, path),
            resumed = Train(precision, stopAt: int.MaxValue, path), cold = Train(precision, stopAt: 5, path: null);
        resumed.ShouldBe(whole);
        first.ShouldNotBe(whole);
        cold.ShouldBe(first);
    }

    [Theory]
    [InlineData("fused", 10_000)]
    [InlineData("autograd", 300)]
    [InlineData("checkpointing", 300)]
    public void Live_tensors_stay_flat_over_many_steps(string path, int steps)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var examples = TinyDecoder.Sequences(parameters.Architecture, 12, 15);
        using IGradientModel model = path == "fused"
            ? new FusedGradientModel(parameters, MatmulPrecision.Mixed, 1, 128)
            : new AutogradGradientModel(
                parameters, MatmulPrecision.Mixed, options: new AutogradOptions(Checkpointing: path == "checkpointing"));
        var loss = new CrossEntropy(examples.Sum(example => example.SupervisedCount));
        model.Differentiate(examples, loss);
        long before = Tensor.TotalCount;
        for (int i = 0; i < steps; i++) model.Differentiate(examples, loss);
        Tensor.TotalCount.ShouldBeLessThanOrEqualTo(before + 8); // other tests of this process may hold a few
    }

    private static float[] Train(MatmulPrecision precision, int stopAt, string? path)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var optimizer = new AdamW(parameters, Options.Optimizer);
        var state = path is null ? null : new TrainingState(path, "digest", parameters, optimizer);
        state?.TryLoad(warning: null);
        var source =
            new EpochSource(TinyDecoder.Sequences(parameters.Architecture, 12, 15, 20, 25, 30, 9), epochs: 4, batchTokens: 40, seed: 3);
        using var model = new FusedGradientModel(parameters, precision, 2, 128);
        using var stop = new CancellationTokenSource();
        try
        {
            SupervisedFineTuning.RunSteps(
                model, optimizer, new LearningRateSchedule(3e-3, Decay.Cosine), source, TimeProvider.System,
                report => { if (report.Step == stopAt) stop.Cancel(); }, stop.Token);
        }
        catch (OperationCanceledException)
        {
            state?.Save(); // without a path: the cold start
        }

        return parameters.Span.ToArray();
    }
}
