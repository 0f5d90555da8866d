using System.Globalization;
using Distill.Benchmarks.Measuring;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Benchmarks.Training;

/// <summary>
/// The reference training of the large model in mixed precision: how far the loss of every step is from fp32's, beside PyTorch's autocast.
/// </summary>
internal sealed class MixedTrainingBenchmark : IBenchmark
{
    private const double Tolerance = 0.01;

    public string Name => "mixed-training";

    public string Summary => "twelve optimizer steps of the large model in mixed precision against fp32";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var checkpoint = context.Large.RequireCheckpoint();
        var reference = TrainingReference.Open(checkpoint.Folder, context.Quick ? 1 : int.MaxValue);
        using var parameters = new FlatParameters(checkpoint.Architecture);
        parameters.Load(checkpoint.LoadWeights());
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Mixed, Environment.ProcessorCount, 512);
        var steps = new List<StepReport>();
        SupervisedFineTuning.RunSteps(model, new AdamW(parameters, reference.Optimizer), reference.Schedule, reference, context.Clock, report =>
        {
            context.Log($"  step {report.Step}: loss {report.Loss - Exact(report):+0.0000;-0.0000}, autocast {reference.AutocastLoss(report.Step - 1) - Exact(report):+0.0000;-0.0000}, {report.Seconds:F1} s");
            steps.Add(report);
        }, CancellationToken.None);
        double[] ours = [.. steps.Select(step => step.Loss - Exact(step))], autocast = [.. steps.Select(step => reference.AutocastLoss(step.Step - 1) - Exact(step))];
        return
        [
            Figure.Plain("a step of 8 chats", Series.Of(steps, step => step.Seconds), "s", "bf16, update included"),
            Figure.AtMost("loss, largest difference of a step to fp32", Tolerance, Series.Of(ours.Max(Math.Abs)), "", List(ours)),
            Figure.Plain("the same of PyTorch's autocast", Series.Of(autocast.Max(Math.Abs)), "", List(autocast)),
        ];

        double Exact(StepReport step) => reference.Step(step.Step - 1).GetProperty("loss").GetDouble();
    }

    private static string List(double[] differences) => string.Join(" ", differences.Select(value => value.ToString("+0.0000;-0.0000", CultureInfo.InvariantCulture)));
}
