using System.Globalization;
using System.Text.Json;
using Distill.Architecture;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Benchmarks.Training;

/// <summary>The reference training that lies beside the large model: a source of batches and the values to reach.</summary>
internal sealed class TrainingReference(string file, int most) : IExampleSource
{
    private readonly JsonElement root = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;

    public int Steps => Math.Min(most, root.GetProperty("batches").GetArrayLength());

    public IReadOnlyList<TrainingSequence> HeldOut => Sequences(root.GetProperty("held_out"));

    public IEnumerable<JsonProperty> WeightsAfter => root.GetProperty("fp32").GetProperty("weights_after").EnumerateObject();

    public LearningRateSchedule Schedule =>
        new(Setting("lr"), Settings.GetProperty("decay").GetString() == "constant" ? Decay.Constant
            : Decay.Linear) { WarmupSteps = (int)Setting("warmup") };

    public AdamWOptions Optimizer => new(
        Settings.GetProperty("betas")[0].GetDouble(), Settings.GetProperty("betas")[1].GetDouble(), Setting("eps"),
            Setting("weight_decay"), Setting("clip"));

    private JsonElement Settings => root.GetProperty("settings");

    /// <summary>Loss of a step of autocast, bf16 over fp32 weights.</summary>
    public double AutocastLoss(int step) => root.GetProperty("mixed").GetProperty("steps")[step].GetProperty("loss").GetDouble();

    public double Number(string name) => root.GetProperty("fp32").GetProperty(name).GetDouble();

    public JsonElement Step(int step) => root.GetProperty("fp32").GetProperty("steps")[step];

    public IReadOnlyList<TrainingSequence> At(int step) => Sequences(root.GetProperty("batches")[step]);

    /// <exception cref="WorkloadAbsentException">The model comes without one.</exception>
    public static TrainingReference Open(string folder, int most)
    {
        string file = Path.Combine(folder, "reference-training.json");
        return File.Exists(file) ? new TrainingReference(file, most)
            : throw new WorkloadAbsentException("the model has no reference-training.json");
    }

    private double Setting(string name) => Settings.GetProperty(name).GetDouble();

    // What follows the supervised stretch changes nothing and is cut.
    private static TrainingSequence[] Sequences(JsonElement batch) =>
    [
        .. batch.EnumerateArray().Select(example => new TrainingSequence(
            [.. example.GetProperty("ids").EnumerateArray().Take(example.GetProperty("supervised")[1].GetInt32())
                .Select(id => id.GetInt32())],
            example.GetProperty("supervised")[0].GetInt32())),
    ];
}

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
        List<Figure> figures =
            [.. Steps(steps, reference), Figure.AtMost("held-out loss before, difference", LossTolerance, Series.Of(Math.Abs(before)), "")];
        if (context.Quick) return figures;
        double after = HeldOutLoss(model, reference) - reference.Number("held_out_after");
        figures.Add(Figure.AtMost("held-out loss after, difference", LossTolerance, Series.Of(Math.Abs(after)), ""));
        figures.Add(
            Figure.AtMost("L2 movement of six tensors, largest relative difference", RelativeTolerance,
                Series.Of(Movements(parameters, checkpoint, reference).Max()), ""));
        return figures;
    }

    private static List<StepReport> Train(BenchmarkContext context, FusedGradientModel model, FlatParameters parameters,
        TrainingReference reference)
    {
        var reports = new List<StepReport>();
        using var optimizer = new AdamW(parameters, reference.Optimizer);
        SupervisedFineTuning.RunSteps(model, optimizer, reference.Schedule, reference, context.Clock, report =>
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
        yield return Figure.AtMost("loss, largest difference of a step", LossTolerance,
            Series.Of(Largest((step, expected) => Math.Abs(step.Loss - expected.GetProperty("loss").GetDouble()))), "");
        yield return Figure.AtMost("gradient norm, largest relative difference of a step", RelativeTolerance,
            Series.Of(Largest((step, expected) => Math.Abs(step.GradientNorm / expected.GetProperty("gradient_norm").GetDouble() - 1))),
                "");
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
        using var optimizer = new AdamW(parameters, reference.Optimizer);
        SupervisedFineTuning.RunSteps(model, optimizer, reference.Schedule, reference, context.Clock, report =>
        {
            double autocastLoss = reference.AutocastLoss(report.Step - 1) - Exact(report);
            context.Log($"  step {report.Step}: loss {report.Loss - Exact(report):+0.0000;-0.0000}, "
                + $"autocast {autocastLoss:+0.0000;-0.0000}, {report.Seconds:F1} s");
            steps.Add(report);
        }, CancellationToken.None);
        double[] ours = [.. steps.Select(step => step.Loss - Exact(step))],
            autocast = [.. steps.Select(step => reference.AutocastLoss(step.Step - 1) - Exact(step))];
        return
        [
            Figure.Plain("a step of 8 chats", Series.Of(steps, step => step.Seconds), "s", "bf16, update included"),
            Figure.AtMost("loss, largest difference of a step to fp32", Tolerance, Series.Of(ours.Max(Math.Abs)), "", List(ours)),
            Figure.Plain("the same of PyTorch's autocast", Series.Of(autocast.Max(Math.Abs)), "", List(autocast)),
        ];

        double Exact(StepReport step) => reference.Step(step.Step - 1).GetProperty("loss").GetDouble();
    }

    private static string List(double[] differences) =>
        string.Join(" ", differences.Select(value => value.ToString("+0.0000;-0.0000", CultureInfo.InvariantCulture)));
}
