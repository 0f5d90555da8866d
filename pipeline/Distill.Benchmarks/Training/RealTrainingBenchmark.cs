using System.Text.Json;
using Distill.Architecture;
using Distill.Benchmarks.Measuring;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Benchmarks.Training;

/// <summary>
/// The whole reference training that lies beside the large model: twelve AdamW steps in fp32, compared step by step with what PyTorch and
/// transformers gave (<c>reference-training.json</c>). The tests repeat its first steps.
/// </summary>
internal sealed class RealTrainingBenchmark : IBenchmark
{
    private const double LossTolerance = 1e-4, RelativeTolerance = 1e-3;

    public string Name => "real-training";

    public string Summary => "twelve optimizer steps of the large model against PyTorch, fp32";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var checkpoint = context.Large.RequireCheckpoint();
        var reference = TrainingReference.Open(checkpoint.Folder, context.Quick ? 1 : int.MaxValue);
        using var parameters = new FlatParameters(checkpoint.Architecture);
        parameters.Load(checkpoint.LoadWeights());
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Fp32, Environment.ProcessorCount, 512);
        double before = HeldOutLoss(model, reference) - reference.Number("held_out_before");
        var steps = Train(context, model, parameters, reference);
        List<Figure> figures = [.. Steps(steps, reference), Figure.AtMost("held-out loss before, difference", LossTolerance, Series.Of(Math.Abs(before)), "")];
        if (context.Quick) return figures;
        double after = HeldOutLoss(model, reference) - reference.Number("held_out_after");
        figures.Add(Figure.AtMost("held-out loss after, difference", LossTolerance, Series.Of(Math.Abs(after)), ""));
        figures.Add(Figure.AtMost("L2 movement of six tensors, largest relative difference", RelativeTolerance, Series.Of(Movements(parameters, checkpoint, reference).Max()), ""));
        return figures;
    }

    private static List<StepReport> Train(BenchmarkContext context, FusedGradientModel model, FlatParameters parameters, TrainingReference reference)
    {
        var reports = new List<StepReport>();
        SupervisedFineTuning.RunSteps(model, new AdamW(parameters, reference.Optimizer), reference.Schedule, reference, context.Clock, report =>
        {
            context.Log($"  step {report.Step}: loss {report.Loss:F6}, gradient norm {report.GradientNorm:F4}, {report.Seconds:F1} s");
            reports.Add(report);
        }, CancellationToken.None);
        return reports;
    }

    private static IEnumerable<Figure> Steps(List<StepReport> steps, TrainingReference reference)
    {
        double Largest(Func<StepReport, JsonElement, double> value) => steps.Max(step => value(step, reference.Step(step.Step - 1)));
        yield return Figure.Plain("a step of 8 chats", Series.Of(steps, step => step.Seconds), "s", "fp32, update included");
        yield return Figure.AtMost("loss, largest difference of a step", LossTolerance, Series.Of(Largest((step, expected) => Math.Abs(step.Loss - expected.GetProperty("loss").GetDouble()))), "");
        yield return Figure.AtMost("gradient norm, largest relative difference of a step", RelativeTolerance,
            Series.Of(Largest((step, expected) => Math.Abs(step.GradientNorm / expected.GetProperty("gradient_norm").GetDouble() - 1))), "");
    }

    private static double HeldOutLoss(FusedGradientModel model, TrainingReference reference)
    {
        var scores = model.Score(reference.HeldOut);
        return -scores.Sum(sequence => sequence.Sum(value => (double)value)) / scores.Sum(sequence => sequence.Length);
    }

    private static double[] Movements(FlatParameters parameters, Checkpoint checkpoint, TrainingReference reference)
    {
        var start = checkpoint.LoadWeights();
        return [.. reference.WeightsAfter.Select(tensor =>
        {
            float[] moved = [.. parameters.SpanOf(tensor.Name).ToArray().Zip(start[tensor.Name].ToArray(), (now, then) => now - then)];
            return Math.Abs(Math.Sqrt(moved.Sum(value => (double)value * value)) / tensor.Value.GetProperty("moved_l2").GetDouble() - 1);
        })];
    }
}
