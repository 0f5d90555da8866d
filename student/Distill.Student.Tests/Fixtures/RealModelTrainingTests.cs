using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Fixtures;

/// <summary>
/// The first optimizer steps of a real model of 135 million parameters against transformers and PyTorch in fp32. All twelve are a
/// benchmark, <c>real-training</c>, and in mixed precision <c>mixed-training</c>.
/// </summary>
public sealed class RealModelTrainingTests(ITestOutputHelper output)
{
    private const int Steps = 3;

    [Fact]
    public void Loss_and_gradient_norm_of_the_first_steps_are_those_of_PyTorch()
    {
        string folder = SharedModel.Require("smollm2-135m-instruct");
        var training = new RealTraining(Path.Combine(folder, "reference-training.json"));
        var checkpoint = Checkpoint.Open(folder);
        using var parameters = new FlatParameters(checkpoint.Architecture);
        parameters.Load(checkpoint.LoadWeights());
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, 512);
        HeldOut(model, training).ShouldBe(training.Expected.GetProperty("held_out_before").GetDouble(), 1e-4);
        using var stop = new CancellationTokenSource();
        Should.Throw<OperationCanceledException>(() => SupervisedFineTuning.RunSteps(
            model, new AdamW(parameters, training.Optimizer), training.Schedule, training, TimeProvider.System,
            report => Compare(report, training, stop), stop.Token));
    }

    private void Compare(StepReport report, RealTraining training, CancellationTokenSource stop)
    {
        var expected = training.Expected.GetProperty("steps")[report.Step - 1];
        double loss = expected.GetProperty("loss").GetDouble(), norm = expected.GetProperty("gradient_norm").GetDouble();
        output.WriteLine(
            $"step {report.Step}: loss {report.Loss - loss:+0.0E+0;-0.0E+0}, gradient norm "
            + $"{report.GradientNorm / norm - 1:+0.0E+0;-0.0E+0} relative, {report.Seconds:F1} s");
        report.LearnedTokens.ShouldBe(expected.GetProperty("supervised_tokens").GetInt64());
        report.LearningRate.ShouldBe(expected.GetProperty("learning_rate").GetDouble(), 1e-12);
        report.Loss.ShouldBe(loss, 1e-4);
        report.GradientNorm.ShouldBe(norm, 1e-3 * norm);
        if (report.Step == Steps) stop.Cancel();
    }

    private static double HeldOut(FusedGradientModel model, RealTraining training)
    {
        var scores = model.Score(training.HeldOut);
        return -scores.Sum(sequence => sequence.Sum(value => (double)value)) / scores.Sum(sequence => sequence.Length);
    }
}
