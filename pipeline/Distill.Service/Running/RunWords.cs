using System.Globalization;
using System.Text.Json;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Runs.Live;

namespace Distill.Service.Running;

/// <summary>What a run says of itself, for who looks at it while it is at work. Immutable.</summary>
/// <param name="Stage">At work; null between stages.</param>
/// <param name="Share">Of the stage, 0 to 1.</param>
/// <param name="Left">How long the stage still takes; null while that is unknown.</param>
internal sealed record RunStatus(string? Stage, double Share, string Progress, TimeSpan? Left)
{
    /// <summary>How long the run still takes; null while that is unknown.</summary>
    public TimeSpan? LeftInAll { get; init; }

    public static RunStatus Starting { get; } = new(null, 0, "starting", null);

    /// <summary>What a run wrote of itself, whoever started it.</summary>
    public static RunStatus Of(ProgressFile file)
    {
        var whole = Time(file.SecondsLeft);
        if (file.Current() is not { } stage) return new(null, 0, "", null) { LeftInAll = whole };
        var progress = stage.Progress ?? new StageProgress(0, 0, "");
        string words = progress.Total > 0
            ? string.Create(CultureInfo.InvariantCulture,
                $"{progress.Done:N0}/{progress.Total:N0} {progress.Unit} {progress.Detail}{RateOf(progress)}").TrimEnd()
            : "";
        double share = progress.Total > 0 ? Math.Clamp(progress.Done / progress.Total, 0, 1) : 0;
        return new(stage.Name, share, words, Time(stage.SecondsLeft)) { LeftInAll = whole };
    }

    private static TimeSpan? Time(double? seconds) => seconds is >= 0 and < 1e9 ? TimeSpan.FromSeconds(seconds.Value) : null;

    private static string RateOf(StageProgress progress) => progress.Rate <= 0 ? ""
        : string.Create(CultureInfo.InvariantCulture, $" · {progress.Rate:N0} {progress.RateUnit}");
}

/// <summary>
/// Reads the lines of a run under <c>--json</c>: how far it is, what it says for people, and why it failed. What is no JSON is taken as it
/// is. One thread at a time; <see cref="Status"/> may be read from any.
/// </summary>
internal sealed class RunWords(TimeProvider clock, SecretText secrets)
{
    private const int MostLines = 20, LongestLine = 400;

    private readonly Queue<string> last = [];
    private long stageStart;
    private double doneBefore = -1;
    private long heard = clock.GetTimestamp();

    private volatile RunStatus status = RunStatus.Starting;

    public RunStatus Status => status;

    /// <summary>How long it has said nothing.</summary>
    public TimeSpan Silence => clock.GetElapsedTime(Interlocked.Read(ref heard));

    /// <summary>The last stage that was begun and did not end; null when there is none.</summary>
    public string? Stage { get; private set; }

    /// <summary>Why the run failed; null when it did not say.</summary>
    public string? Fault { get; private set; }

    /// <summary>Whether it did nothing because another process had the run.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>Whether it did nothing because the machine lacked something, which may be there later.</summary>
    public bool IsOfMachine { get; private set; }

    /// <summary>The command that goes on with it, as it said itself.</summary>
    public string? Continuation { get; private set; }

    /// <summary>The newest lines for people, oldest first, without secrets.</summary>
    public IReadOnlyList<string> LastLines => [.. last];

    /// <returns>The line for people that it makes; null for what is only progress.</returns>
    public string? Hear(SpokenLine spoken)
    {
        Interlocked.Exchange(ref heard, clock.GetTimestamp());
        string? line = spoken.Text.StartsWith('{') && TryRead(spoken.Text) is { } json ? Of(json) : spoken.Text;
        if (string.IsNullOrWhiteSpace(line)) return null;
        line = secrets.Without(line);
        if (line.Length > LongestLine) line = line[..LongestLine] + "…";
        last.Enqueue(line);
        if (last.Count > MostLines) last.Dequeue();
        return line;
    }

    private static JsonElement? TryRead(string text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private string? Of(JsonElement json)
    {
        if (json.TryGetProperty("error", out var error)) return Failed(error);
        string stage = Text(json, "stage");
        switch (Text(json, "event"))
        {
            case "stage_started":
                (Stage, doneBefore) = (stage, -1);
                status = new(stage, 0, "", null);
                return $"{stage}: {Text(json, "reason")}";
            case "progress":
                Progress(json, stage);
                return null;
            case "stage_finished":
                Ended();
                return $"{stage} done: {Text(json, "summary")}";
            case "stage_cached":
                return $"{stage} {Text(json, "reason")}: {Text(json, "summary")}";
            case "warning" or "note":
                return Text(json, "message");
            case "run_finished":
                Ended();
                return "finished";
            default:
                return null;
        }
    }

    private string Failed(JsonElement error)
    {
        string message = Text(error, "message"), hint = Text(error, "hint");
        Fault = secrets.Without(message.ReplaceLineEndings(" "));
        string kind = Text(error, "kind");
        (IsBusy, IsOfMachine) = (kind == "busy", kind == "machine");
        Continuation = Text(error, "continue") is { Length: > 0 } command ? command : null;
        return hint.Length > 0 ? $"error: {message} {hint}" : $"error: {message}";
    }

    private void Ended()
    {
        Stage = null;
        status = new(null, 0, "", null);
    }

    // What an earlier process did says nothing about the speed of this one.
    private void Progress(JsonElement json, string stage)
    {
        double done = Number(json, "done"), total = Number(json, "total");
        if (doneBefore < 0) (doneBefore, stageStart) = (done, clock.GetTimestamp());
        var elapsed = clock.GetElapsedTime(stageStart);
        bool isKnown = done > doneBefore && total > done && elapsed > TimeSpan.FromSeconds(1);
        string words = secrets.Without(string.Create(CultureInfo.InvariantCulture,
            $"{done:N0}/{total:N0} {Text(json, "unit")} {Text(json, "detail")}").TrimEnd());
        TimeSpan? left = isKnown && (total - done) / (done - doneBefore) * elapsed.TotalDays < 1000
            ? elapsed * ((total - done) / (done - doneBefore)) : null;
        status = new(stage, total > 0 ? Math.Clamp(done / total, 0, 1) : 0, words, left);
    }

    private static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static double Number(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0;
}
