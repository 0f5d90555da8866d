using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Training;

public sealed class WeightAverageTests
{
    [Fact]
    public void A_training_that_was_saved_and_continued_has_the_average_of_one_that_was_not()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("distill-average").FullName, "state.safetensors");
        float[] whole = Train(0.8, null, int.MaxValue);
        Should.Throw<OperationCanceledException>(() => Train(0.8, path, stopAt: 4));
        Train(0.8, path, int.MaxValue).ShouldBe(whole);
        Train(null, null, int.MaxValue).ShouldNotBe(whole);
        Train(0, null, int.MaxValue).ShouldBe(Train(null, null, int.MaxValue));
    }

    private static float[] Train(double? decay, string? path, int stopAt)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        using var stop = new CancellationTokenSource();
        var options = new SupervisedOptions
        {
            Epochs = 8,
            BatchTokens = 1000,
            WeightAverage = decay,
            Training = new TrainingOptions { LearningRate = 3e-3, Threads = 1, MicroBatchTokens = 128, Precision = MatmulPrecision.Fp32 },
        };
        SupervisedFineTuning.Run(
            parameters, TinyDecoder.Sequences(parameters.Architecture, 12, 15, 20), options, TimeProvider.System, path,
        report => {
            if (report.Step == stopAt) stop.Cancel();
        }, stop.Token);
        return parameters.Span.ToArray();
    }
}
