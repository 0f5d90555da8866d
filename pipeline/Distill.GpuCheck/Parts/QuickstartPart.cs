using System.Text.Json.Nodes;
using Distill.Evaluation;
using Distill.Generation;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.GpuCheck.Parts;

/// <summary>A shortened quickstart, trained on the device and on the processor: the tables must agree within their intervals.</summary>
internal sealed class QuickstartPart : ICheckPart
{
    // The committed teacher's graph is in fp32, which no card runs.
    private const string Recipe = """
        name: NAME
        seed: 1
        teacher: { model: TEACHER, samples: 1, temperature: 0.7, slots: 64, device: cpu }
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

        return new(agree && table.Count > 0, new JsonObject { ["table"] = table });
    }

    private static IReadOnlyList<EvaluationReport> Evaluations(CheckContext context, string name, ComputeDevice device)
    {
        string text = Recipe.Replace("NAME", name, StringComparison.Ordinal)
            .Replace("TEACHER", CheckContext.Teacher, StringComparison.Ordinal).Replace("BASE", CheckContext.Base, StringComparison.Ordinal)
            .Replace("DEVICE", device.ToString(), StringComparison.Ordinal)
            .Replace("TRAIN", context.IsSmall ? "32" : "2000", StringComparison.Ordinal)
            .Replace("TEST", context.IsSmall ? "8" : "200", StringComparison.Ordinal)
            .Replace("STEPS", context.IsSmall ? "1" : "4", StringComparison.Ordinal);
        var recipe = RecipeFile.Parse(text, $"{name}.yaml", context.Folder);
        var options = new RunOptions { RunsFolder = context.Folder };
        var result = PipelineRun.Run(recipe, options, new Silence(), context.Clock, CancellationToken.None);
        return result.Report!.Evaluations;
    }

    private static string Text(EvaluationReport report) =>
        $"{100 * report.Greedy:F1} % [{100 * report.GreedyInterval95.Low:F1}, {100 * report.GreedyInterval95.High:F1}]";

    private sealed class Silence : IRunObserver
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

        public void StageFinished(string stage, TimeSpan elapsed, string summary)
        {
        }

        public void StageCached(string stage, string reason, string summary)
        {
        }

        public void Warning(string message)
        {
        }
    }
}
