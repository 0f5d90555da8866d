using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Generation.Onnx;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Benchmarks.Runs;

internal sealed class PipelineBenchmark : IBenchmark
{
    private const string Teacher = "teacher/models/tiny-reasoner", Base = "student/models/tiny-base";

    public string Name => "pipeline";

    public string Summary => "a small recipe on the committed models: time outside the stages, and the second, unchanged run";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        if (!File.Exists(Path.Combine(Repository.PathOf(Teacher), ModelFolder.ConfigurationFile))) throw new WorkloadAbsentException(
            $"{Teacher} is not there");
        var recipe = (DistillationRecipe)RecipeFile.Parse(Text, "benchmark.yaml", Repository.Root, context.Quick ? QuickOverrides : []);
        int rounds = context.Quick ? 1 : 3;
        var outside = new List<double>();
        var first = new List<double>();
        var second = new List<double>();
        var command = new List<double>();
        for (int round = 0; round < rounds; round++)
        {
            using var folder = new TemporaryFolder();
            var (seconds, stages) = Once(context, recipe, folder);
            var (again, nothing) = Once(context, recipe, folder);
            if (nothing.Done > 0) throw new InvalidOperationException($"The unchanged run did {nothing.Done} stages again.");
            outside.Add(100 * (seconds - stages.Seconds) / seconds);
            first.Add(seconds);
            second.Add(again);
            command.Add(context.Seconds(() => BuiltProgram.Run(CommandOf(context, folder))));
        }

        return
        [
            Figure.AtMost("time outside the stages, share of the run", 2, new Series(outside), "%",
                "a stage's time includes committing its artefact"),
            Figure.AtMost("second, unchanged run", 3, new Series(second), "s", "same process: starting .NET is left out"),
            Figure.AtMost("the same as a command", 3, new Series(command), "s", ".NET's start and all"),
            Figure.Plain("first run", new Series(first), "s"),
        ];
    }

    // Models by their whole paths: a key holds their digests.
    private static IEnumerable<string> CommandOf(BenchmarkContext context, TemporaryFolder folder)
    {
        string recipe = Path.Combine(folder.Path, "benchmark.yaml");
        File.WriteAllText(recipe, Text.Replace(Teacher, Repository.PathOf(Teacher), StringComparison.Ordinal)
            .Replace(Base, Repository.PathOf(Base), StringComparison.Ordinal));
        string[] overrides = context.Quick ? QuickOverrides : [];
        return ["run", recipe, "--runs", folder.Path, .. overrides.SelectMany(value => (string[])["--set", value])];
    }

    private static (double Seconds, StageTimer Stages) Once(BenchmarkContext context, DistillationRecipe recipe, TemporaryFolder folder)
    {
        var timer = new StageTimer(context.Log);
        var options = new RunOptions { RunsFolder = folder.Path };
        double seconds = context.Seconds(() => PipelineRun.Run(recipe, options, timer, context.Clock, CancellationToken.None));
        return (seconds, timer);
    }

    internal static string Text => $$"""
        name: benchmark
        seed: 1
        teacher: { model: {{Teacher}}, samples: 1 }
        problems:
          families: [ { name: arithmetic, level: 2 }, { name: words, level: 2 }, { name: knights, level: 2 } ]
          train: 600
          validation: 50
          test: 80
          twins: 30
        student: { base: {{Base}} }
        sft: { epochs: 2, precision: mixed }
        rl: { steps: 4, evaluate_every: 2 }
        evaluation: { samples: 2 }
        """;

    private static string[] QuickOverrides { get; } =
    [
        "problems.train=48", "problems.validation=8", "problems.test=12", "problems.twins=6", "teacher.max_tokens=96", "sft.epochs=1",
            "rl.steps=1",
        "rl.problems_per_step=4", "rl.samples=4", "rl.evaluate_every=1", "rl.max_tokens=64", "parity.prompts=4", "parity.tokens=24",
            "evaluation.max_tokens=64",
    ];
}

/// <summary>Adds up the time of the stages of one run.</summary>
internal sealed class StageTimer(Action<string> log) : IRunObserver
{
    public double Seconds { get; private set; }

    public int Done { get; private set; }

    public int Cached { get; private set; }

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
        log($"    {stage}: {elapsed.TotalSeconds:F1} s");
        Seconds += elapsed.TotalSeconds;
        Done++;
    }

    public void StageCached(string stage, string reason, string summary) => Cached++;

    public void Warning(string message) => log($"    {message}");
}
