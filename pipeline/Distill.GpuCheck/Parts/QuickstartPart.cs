using System.Globalization;
using System.Text.Json.Nodes;
using Distill.Architecture;
using Distill.Evaluation;
using Distill.Export;
using Distill.Export.Package;
using Distill.Generation;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.GpuCheck.Parts;

/// <summary>
/// A shortened quickstart, trained on the device and on the processor: the tables must agree within their intervals. The student then
/// writes traces on the device, as a teacher.
/// </summary>
internal sealed class QuickstartPart : ICheckPart
{
    // The committed teacher's graph is in fp32, which no card runs.
    private const string Recipe = """
        name: NAME
        seed: 1
        teacher: { model: TEACHER, samples: 1, temperature: 0.7, slots: 64, device: SERVED }
        problems:
          families: [ { name: arithmetic, level: 1 }, { name: words, level: 1 } ]
          train: TRAIN
          validation: 16
          test: TEST
          twins: 8
        student: { base: BASE, device: DEVICE }
        sft: { epochs: 3, batch_tokens: 1024, learning_rate: 0.002, precision: fp32, threads: 8 }
        answer_only: { enabled: false }
        rl: { steps: STEPS, problems_per_step: 8, samples: 4, evaluate_every: 2, validation_problems: 16, max_tokens: 96 }
        parity: { prompts: 4, tokens: 24 }
        evaluation: { samples: 2, max_tokens: 96 }
        """;

    public string Name => "quickstart";

    public string Question => "does a student trained on the device solve as much as one trained on the processor?";

    public int Limit => 110;

    public PartResult Run(CheckContext context)
    {
        var given = Evaluations(context, "on-device", context.Device); // what may fail first
        var expected = Evaluations(context, "on-processor", ComputeDevice.Cpu);
        var table = new JsonArray();
        bool agree = true;
        foreach (var (one, other) in expected.Join(given, row => row.Model, row => row.Model, (one, other) => (one, other)))
        {
            var (left, right) = (one.GreedyInterval95, other.GreedyInterval95);
            bool overlaps = left.Low <= right.High && right.Low <= left.High;
            agree &= overlaps;
            table.Add(new JsonObject
            {
                ["model"] = one.Model,
                ["problems"] = one.Problems,
                ["processor"] = Text(one),
                ["device"] = Text(other),
                ["agree"] = overlaps,
            });
        }

        var figures = context.Noted("table", new JsonObject { ["table"] = table });
        var taught = AsTeacher(context);
        figures["as_teacher"] = taught;
        return new(agree && table.Count > 0 && taught["kept"]!.GetValue<long>() > 0, figures);
    }

    // The student that was trained there writes traces there, as a teacher's fp16 folder: what is kept was verified. In small it has
    // learned nothing, and the processor has no attention in 16 bits.
    private static JsonObject AsTeacher(CheckContext context)
    {
        string folder = context.IsSmall ? CheckContext.Teacher : Path.Combine(context.Folder, "teacher");
        if (!context.IsSmall)
        {
            var student = Checkpoint.Open(Path.Combine(context.Folder, "on-device", "5-rl", "checkpoint"));
            ModelPackage.Write(folder, student.LoadWeights(), student.Tokenizer!, new PackageDescription { Name = "gpu-check-teacher" },
                new ExportOptions { Precision = ExportPrecision.Half });
        }

        var made = Run(
            context, "as-teacher", context.Device, (folder, context.Device), context.IsSmall ? (16, 8, 1) : (256, 16, 1), until: "curated");
        var counts = JsonNode.Parse(File.ReadAllText(Path.Combine(made.Folder, "3-curated", "counts.json")))!.AsObject();
        counts.Remove("examples");
        return context.Noted("as teacher", counts);
    }

    private static IReadOnlyList<EvaluationReport> Evaluations(CheckContext context, string name, ComputeDevice device) =>
        Run(context, name, device, (CheckContext.Teacher, ComputeDevice.Cpu), context.IsSmall ? (32, 8, 1) : (2000, 200, 4))
            .Report!.Evaluations;

    private static RunResult Run(
        CheckContext context, string name, ComputeDevice device, (string Folder, ComputeDevice Device) teacher,
        (int Train, int Test, int Steps) size, string? until = null)
    {
        string text = Recipe.Replace("NAME", name, StringComparison.Ordinal)
            .Replace("TEACHER", teacher.Folder, StringComparison.Ordinal).Replace("BASE", CheckContext.Base, StringComparison.Ordinal)
            .Replace("SERVED", teacher.Device.ToString(), StringComparison.Ordinal)
            .Replace("DEVICE", device.ToString(), StringComparison.Ordinal)
            .Replace("TRAIN", Number(size.Train), StringComparison.Ordinal).Replace("TEST", Number(size.Test), StringComparison.Ordinal)
            .Replace("STEPS", Number(size.Steps), StringComparison.Ordinal);
        var recipe = RecipeFile.Parse(text, $"{name}.yaml", context.Folder);
        var options = new RunOptions { RunsFolder = context.Folder, Until = until };
        return PipelineRun.Run(recipe, options, new StageTimes(context, name), context.Clock, CancellationToken.None);
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(EvaluationReport report) =>
        $"{100 * report.Greedy:F1} % [{100 * report.GreedyInterval95.Low:F1}, {100 * report.GreedyInterval95.High:F1}]";

    // A run that is ended in the middle leaves the times of the stages that it finished.
    private sealed class StageTimes(CheckContext context, string run) : IRunObserver
    {
        public void RunStarted(string name, string folder)
        {
        }

        public void StageStarted(string stage, string reason)
        {
        }

        public void Progress(string stage, StageProgress progress)
        {
        }

        public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values)
        {
        }

        public void StageFinished(string stage, TimeSpan elapsed, string summary) =>
            context.Noted($"{run}, {stage}", new JsonObject { ["seconds"] = Math.Round(elapsed.TotalSeconds, 1) });

        public void StageCached(string stage, string reason, string summary)
        {
        }

        public void Warning(string message)
        {
        }
    }
}
