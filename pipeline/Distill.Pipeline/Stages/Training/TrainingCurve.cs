using System.Text;
using System.Text.Json.Nodes;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Runs;
using Distill.Storage;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Pipeline.Stages.Training;

/// <summary>
/// The measurements of a training: to whoever watches, and at the end into the artefact as JSON lines, without times, so that equal
/// trainings give equal files. Kept beside unfinished work too, so that a continued training has its whole curve. Dispose it.
/// </summary>
internal sealed class TrainingCurve : IDisposable
{
    public const string FileName = "curve.jsonl";

    private const string PlannedName = ".planned-steps";

    private const string UnfinishedName = "curve.unfinished.jsonl";

    private const int ChecksumLength = 16;

    private readonly StageContext context;
    private readonly SortedDictionary<int, string> lines = [];
    private readonly StreamWriter unfinished;
    private readonly TrainingSpeed? speed;
    private int planned;
    private long learned;

    /// <param name="speed">Also measures how fast it goes; null where steps are not those of a gradient alone.</param>
    public TrainingCurve(StageContext context, TrainingSpeed? speed = null)
    {
        this.context = context;
        this.speed = speed;
        string path = Path.Combine(context.Folder, UnfinishedName);
        if (File.Exists(path) && !TryTake(File.ReadAllText(path))) BeginAnew(path);
        ReplacedFile.Write(path, Encoding.UTF8.GetBytes(string.Concat(lines.Values.Select(line => Checked(line) + "\n"))));
        unfinished = new StreamWriter(path, append: true) { AutoFlush = true, NewLine = "\n" };
    }

    /// <param name="heldOut">What the looks at held-out data are called.</param>
    public void Add(StepReport report, string? heldOut = null)
    {
        var values = new Dictionary<string, double>
        {
            ["loss"] = report.Loss,
            ["gradient_norm"] = report.GradientNorm,
            ["learning_rate"] = report.LearningRate,
            ["entropy"] = report.Entropy,
            ["tokens"] = report.Tokens,
        };
        if (heldOut is not null && report.HeldOut is { } looked) values[heldOut] = looked;
        Plan(report.Steps);
        Keep(report.Step, values);
        learned += report.Tokens;
        values["accuracy"] = report.Accuracy;
        speed?.Add(report, values, context);
        context.Metric(report.Step, values);
        context.Progress(new StageProgress(
            report.Step, report.Steps, "steps", $"loss {report.Loss:F3}", speed?.TokensPerSecond ?? 0, "tokens/s"));
    }

    /// <param name="steps">How many the training plans.</param>
    public void Add(int step, int steps, IReadOnlyDictionary<string, double> values)
    {
        Plan(steps);
        Keep(step, values);
        context.Metric(step, values);
    }

    /// <summary>How many steps an unfinished training plans; null when it has not begun.</summary>
    public static int? PlannedSteps(string folder) =>
        Path.Combine(folder, PlannedName) is var path
            && File.Exists(path)
            && int.TryParse(File.ReadAllText(path), out int steps)
                ? steps
                : null;

    private void Plan(int steps)
    {
        if (steps == planned) return;
        planned = steps;
        ReplacedFile.Write(Path.Combine(context.Folder, PlannedName), Encoding.ASCII.GetBytes($"{steps}"));
    }

    private void Keep(int step, IReadOnlyDictionary<string, double> values)
    {
        var line = new JsonObject { ["step"] = step };
        foreach (var (name, value) in values) line[name] = double.IsFinite(value) ? value : null;
        lines[step] = line.ToJsonString();
        unfinished.WriteLine(Checked(lines[step]));
    }

    /// <summary>What a training on given texts came to, for predictions.</summary>
    /// <param name="rows">Examples that were read, each as often as it was.</param>
    public WorkDone Done(long rows) =>
        new(rows, Tokens: (long)Values("tokens").Sum(step => step.Value), Steps: lines.Count, Units: learned);

    /// <summary>The value of one measurement at every step that has it.</summary>
    public IEnumerable<(int Step, double Value)> Values(string name) => lines
        .Select(line => (line.Key, JsonNode.Parse(line.Value)?[name]?.GetValue<double>()))
        .Where(point => point.Item2 is not null)
        .Select(point => (point.Key, point.Item2!.Value));

    /// <summary>Every step with all its measurements.</summary>
    public IEnumerable<(int Step, IReadOnlyDictionary<string, double> Values)> Points => lines.Select(line =>
        (line.Key, (IReadOnlyDictionary<string, double>)JsonNode.Parse(line.Value)!.AsObject().Where(pair => pair.Value is not null)
            .ToDictionary(pair => pair.Key, pair => pair.Value!.GetValue<double>())));

    public void Write() => context.Writer.Write(FileName, AllLines());

    public void Dispose() => unfinished.Dispose();

    private byte[] AllLines() => Encoding.UTF8.GetBytes(string.Concat(lines.Values.Select(line => line + "\n")));

    // A kill may have cut the last line off; its step is done again. Any other line that is not what was written is damage.
    private bool TryTake(string written)
    {
        foreach (string line in written.Split('\n')[..^1])
        {
            string text = line.Length > ChecksumLength ? line[(ChecksumLength + 1)..] : "";
            if (Checked(text) != line) return false;
            lines[JsonNode.Parse(text)!["step"]!.GetValue<int>()] = text;
        }

        return true;
    }

    // A curve with a hole cannot be mended: the steps would have to be done again, and the state is beyond them.
    private void BeginAnew(string path)
    {
        lines.Clear();
        string aside = SetAside.File(path);
        if (File.Exists(TrainedStudent.StatePath(context))) SetAside.File(TrainedStudent.StatePath(context));
        context.Warning(
            "The curve of an unfinished training was damaged, so the training begins anew; "
            + $"what there was is kept as '{aside}' and beside it.");
    }

    private static string Checked(string line) => $"{FileDigest.Of(Encoding.UTF8.GetBytes(line))[..ChecksumLength]} {line}";
}

/// <summary>
/// Tokens per second of a training, and the share of the machine's measured fp32 matrix product rate that they use: 6 operations per
/// parameter and token, attention left out. Depends on the clock, so it goes to metrics and never into an artefact. One thread.
/// </summary>
internal sealed class TrainingSpeed
{
    private const int Side = 768, Products = 6;

    private readonly double operationsPerToken;
    private readonly double productRate; // operations per second
    private long tokens;
    private double seconds;

    public TrainingSpeed(long parameters, TimeProvider clock)
    {
        operationsPerToken = 6.0 * parameters;
        productRate = MeasureProducts(clock);
    }

    /// <summary>Mean over the steps so far.</summary>
    public double TokensPerSecond => seconds > 0 ? tokens / seconds : 0;

    /// <summary>Adds the step's own figures to its values, and the means to what the report shows.</summary>
    public void Add(StepReport report, Dictionary<string, double> values, StageContext context)
    {
        tokens += report.Tokens;
        seconds += report.Seconds;
        if (report.Seconds <= 0) return;
        values["tokens_per_second"] = report.Tokens / report.Seconds;
        values["utilisation"] = values["tokens_per_second"] * operationsPerToken / productRate;
        context.Measure("trainingTokensPerSecond", TokensPerSecond);
        context.Measure("trainingUtilisation", TokensPerSecond * operationsPerToken / productRate);
    }

    private static double MeasureProducts(TimeProvider clock)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        Tensor left = ones(Side, Side), right = ones(Side, Side);
        mm(left, right).Dispose(); // threads and caches are warm afterwards
        long began = clock.GetTimestamp();
        for (int i = 0; i < Products; i++) mm(left, right).Dispose();
        double elapsed = Math.Max(clock.GetElapsedTime(began).TotalSeconds, 1e-9);
        return Products * 2.0 * Side * Side * Side / elapsed;
    }
}
