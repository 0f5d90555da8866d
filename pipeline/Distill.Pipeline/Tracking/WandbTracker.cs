using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Distill.Data.Telemetry;
using Distill.Generation.Onnx;

namespace Distill.Pipeline.Tracking;

/// <summary>
/// A run of Weights &amp; Biases as a folder in the run's own, <c>wandb/offline-run-TIME-ID</c>, which <c>wandb sync</c> uploads. Nothing
/// is sent from here. The records are those of <c>wandb_internal.proto</c> (github.com/wandb/wandb), field by field. A continued run writes
/// its file anew and whole, under the same id and time. One thread; the creator disposes it.
/// </summary>
/// <param name="entity">User or team; null leaves it to whoever uploads.</param>
internal sealed class WandbTracker(string project, string? entity) : ITracker
{
    public const string Title = "Weights & Biases", FolderName = "wandb";

    private const string TimeFormat = "O";

    // Fields of Record, and of what is in it.
    private const int Number = 1, History = 2, Summary = 3, Metric = 12, Run = 17, Exit = 18, Header = 21;

    private readonly HashSet<string> stages = new(StringComparer.Ordinal);

    private WandbLog? log;
    private DateTimeOffset began;
    private long records, steps;

    public string Name => Title;

    public TrackedPlace Begin(TrackedRun run, TrackedPlace? known, Action<TrackedPlace> made)
    {
        if (known?.Parameters != run.ParametersDigest) known = null;
        string id = known?.Id ?? NewId();
        // The time that it was first made known with: before the first measurement a run does not know its own.
        run = run with { Started = ParseTime(known?.Detail) ?? run.Started };
        string started = run.Started.UtcDateTime.ToString("yyyyMMdd'_'HHmmss", CultureInfo.InvariantCulture);
        string folder = Path.Combine(run.Folder, FolderName, $"offline-run-{started}-{id}");
        foreach (string part in (string[])["files", "logs", "tmp"]) Directory.CreateDirectory(Path.Combine(folder, part));
        string file = Path.Combine(folder, $"run-{id}.wandb");
        log?.Dispose();
        File.Delete(file);
        File.Delete(file + ".synced"); // there is more now than what was uploaded
        (log, records, steps, began) = (new WandbLog(file), 0, 0, run.Started);
        stages.Clear();
        Add(Header, header => header.Message(1, version =>
        {
            version.Text(1, run.Tags.GetValueOrDefault("distill.version", "0"));
            version.Text(2, "0.10.0");
        }));
        Add(Run, message => Describe(message, run, id));
        // From the beginning, always.
        return new(id, run.ParametersDigest) { Detail = run.Started.ToString(TimeFormat, CultureInfo.InvariantCulture) };
    }

    private static DateTimeOffset? ParseTime(string? text) => DateTimeOffset.TryParseExact(
        text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;

    public void Write(IReadOnlyList<MetricPoint> points)
    {
        foreach (var point in points)
        {
            if (stages.Add(point.Stage)) Define(point.Stage);
            Add(History, history =>
            {
                foreach (var (name, value) in point.Values) Item(history, $"{point.Stage}/{name}", Json(value));
                Item(history, $"{point.Stage}/step", Json(point.Step));
                Item(history, "_step", Json(steps));
                Item(history, "_timestamp", Json(Seconds(point.Time)));
                Item(history, "_runtime", Json((point.Time - began).TotalSeconds));
                history.Message(2, step => step.Integer(1, steps));
            });
            steps++;
        }
    }

    public void End(TrackedEnd end)
    {
        Add(Summary, summary =>
        {
            foreach (var (name, value) in end.Summary) summary.Message(1, item => Pair(item, name, Json(value)));
            foreach (var (stage, digest) in end.Artefacts)
                summary.Message(1, item => Pair(item, $"artefact/{stage}", JsonSerializer.Serialize(digest)));
            summary.Message(1, item => Pair(item, "outcome", JsonSerializer.Serialize(end.Outcome)));
        });
        Add(Exit, exit =>
        {
            exit.Integer(1, end.Outcome == Instruments.Outcome.Finished ? 0 : 1);
            exit.Integer(2, (long)Math.Max(0, (end.Time - began).TotalSeconds));
        });
        log!.Dispose();
    }

    public void Dispose() => log?.Dispose();

    private void Describe(ProtobufBuffer message, TrackedRun run, string id)
    {
        message.Text(1, id);
        if (entity is not null) message.Text(2, entity);
        message.Text(3, project);
        message.Message(4, config =>
        {
            foreach (var (key, value) in run.Parameters)
                config.Message(1, item => Pair(item, key, Typed(value)));
        });
        message.Text(8, run.Name);
        foreach (var (_, value) in run.Tags.Where(tag => tag.Key == "distill.recipe")) message.Text(10, value);
        message.Message(17, time => time.Integer(1, run.Started.ToUnixTimeSeconds()));
    }

    // Every stage counts its own steps, which its measurements are drawn over.
    private void Define(string stage)
    {
        Add(Metric, metric =>
        {
            metric.Text(1, $"{stage}/step");
            metric.Message(6, options => options.Integer(3, 1));
        });
        Add(Metric, metric =>
        {
            metric.Text(2, $"{stage}/*");
            metric.Text(4, $"{stage}/step");
            metric.Message(6, options =>
            {
                options.Integer(1, 1);
                options.Integer(3, 1);
            });
        });
    }

    private void Add(int kind, Action<ProtobufBuffer> write)
    {
        var record = new ProtobufBuffer();
        record.Integer(Number, ++records);
        record.Message(kind, write);
        log!.Add(record.Written);
    }

    private static void Item(ProtobufBuffer owner, string key, string json) => owner.Message(1, item => Pair(item, key, json));

    private static void Pair(ProtobufBuffer item, string key, string json)
    {
        item.Text(1, key);
        item.Text(16, json);
    }

    // Numbers and flags stay what they are, so that runs can be sorted by them.
    private static string Typed(string value) => value is "true" or "false" or "null" ? value
        : double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
            ? Json(number) : JsonSerializer.Serialize(value);

    private static string Json(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static double Seconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;

    // Eight letters and digits, as its own client makes them.
    private static string NewId() => RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 8);
}
