using Distill.Cli.Output;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Progress;

/// <summary>
/// Shows on standard error how far the current piece of work is: a live line on a terminal, a plain line now and then elsewhere. What
/// cannot be written is given up. Calls may come from any thread, one at a time.
/// </summary>
internal abstract class ProgressDisplay(TimeProvider clock, TimeSpan interval) : IDisposable
{
    private readonly ProgressMeter meter = new(clock);
    private long lastShown;

    protected string Title { get; private set; } = "";

    /// <summary>What is shown after each description, e.g. the time left of all pieces; may be empty.</summary>
    public Func<string> Aside { get; set; } = () => "";

    public static ProgressDisplay Create(ConsoleStreams streams, TimeProvider clock) =>
        streams.ErrorIsTerminal && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb")
            ? new LiveProgress(streams, clock)
            : new PlainProgress(streams.Error, clock);

    /// <summary>A piece of work begins.</summary>
    public void Begin(string title, string note = "")
    {
        Title = TerminalText.OneLine(title);
        meter.Restart();
        lastShown = clock.GetTimestamp();
        ShowBegin(TerminalText.OneLine(note));
    }

    /// <summary>Cheap enough to be called at every step: it shows what is due.</summary>
    public void Report(StageProgress progress)
    {
        meter.See(progress);
        bool due = clock.GetElapsedTime(lastShown) >= interval;
        if (!due) return;
        lastShown = clock.GetTimestamp();
        string aside = Aside();
        Show(ProgressMeter.ShareOf(progress), TerminalText.OneLine(meter.Describe(progress) + (aside.Length > 0 ? $", {aside}" : "")));
    }

    /// <summary>The current piece of work has ended; its line goes.</summary>
    public void End()
    {
        Title = "";
        Clear();
    }

    /// <summary>A line that stays.</summary>
    public void Line(string text) => ShowLine(TerminalText.OneLine(text));

    public void Dispose() => End();

    protected abstract void ShowLine(string text);

    protected abstract void ShowBegin(string note);

    protected abstract void Show(double share, string description);

    protected abstract void Clear();
}

/// <summary>Progress for log files: whole lines, few of them.</summary>
internal sealed class PlainProgress(TextWriter writer, TimeProvider clock) : ProgressDisplay(clock, TimeSpan.FromSeconds(10))
{
    protected override void ShowLine(string text) => writer.WriteLine(text);

    protected override void ShowBegin(string note) => ShowLine(note.Length > 0 ? $"{Title}: {note}" : $"{Title} ...");

    protected override void Show(double share, string description) => ShowLine($"{Title}: {100 * share:F0} %, {description}");

    protected override void Clear()
    {
    }
}

/// <summary>Progress for a terminal: one line that is drawn over, below the lines that stay.</summary>
internal sealed class LiveProgress(ConsoleStreams streams, TimeProvider clock) : ProgressDisplay(clock, TimeSpan.FromMilliseconds(100))
{
    private const string Green = "\u001b[32m", Grey = "\u001b[90m", Normal = "\u001b[0m", EraseLine = "\r\u001b[2K";
    private string? live; // as it is drawn

    protected override void ShowLine(string text)
    {
        Erase();
        streams.Error.WriteLine(text);
        Draw();
    }

    protected override void ShowBegin(string note) => Replace(0, note);

    protected override void Show(double share, string description) => Replace(share, description);

    protected override void Clear()
    {
        Erase();
        live = null;
    }

    // Done and left differ by their characters: not every terminal, and not everybody, has colours.
    private void Replace(double share, string description)
    {
        int width = streams.Width(), bar = Math.Clamp(width / 4, 8, 24), filled = (int)(share * bar);
        string head = $"  {TerminalText.Cut(Title, width / 3),-12} ", percent = $" {100 * share,3:F0} %  ";
        int room = Math.Max(0, width - 1 - TerminalText.Width(head) - bar - percent.Length);
        Erase();
        live = head + Coloured(Green, new string('█', filled)) + Coloured(Grey, new string('░', bar - filled)) + percent
            + Coloured(Grey, TerminalText.Cut(description, room));
        Draw();
    }

    private string Coloured(string colour, string text) => streams.IsColoured && text.Length > 0 ? colour + text + Normal : text;

    private void Draw()
    {
        if (live is null) return;
        streams.Error.Write(live);
        streams.Error.Flush();
    }

    private void Erase()
    {
        if (live is not null) streams.Error.Write(EraseLine);
    }
}

/// <summary>How far a piece of work is and how long it still takes, in words. One thread at a time.</summary>
internal sealed class ProgressMeter(TimeProvider clock)
{
    private long start;
    private double before = -1; // done when first seen: what an earlier process did says nothing about our speed

    public void Restart() => before = -1;

    /// <summary>To be told of every step: the first one is where our own speed is counted from.</summary>
    public void See(StageProgress progress)
    {
        if (before < 0) (before, start) = (progress.Done, clock.GetTimestamp());
    }

    public static double ShareOf(StageProgress progress) => progress.Total > 0 ? Math.Clamp(progress.Done / progress.Total, 0, 1) : 0;

    /// <summary><c>1,200/4,000 traces, loss 0.123, 5,300 tokens/s, 0:42 left</c>.</summary>
    public string Describe(StageProgress progress)
    {
        var parts = new List<string> { $"{progress.Done:N0}/{progress.Total:N0} {progress.Unit}" };
        if (progress.Detail.Length > 0) parts.Add(progress.Detail);
        if (progress.Rate > 0) parts.Add(progress.Rate >= 10 ? $"{progress.Rate:N0} {progress.RateUnit}"
            : $"{progress.Rate:N1} {progress.RateUnit}");
        if (TimeLeft(progress) is { } left) parts.Add($"{Readable.Duration(left)} left");
        return string.Join(", ", parts);
    }

    private TimeSpan? TimeLeft(StageProgress progress)
    {
        double done = progress.Done - before, rest = progress.Total - progress.Done;
        var elapsed = clock.GetElapsedTime(start);
        bool known = done > 0 && rest > 0 && elapsed > TimeSpan.FromSeconds(1) && elapsed.TotalDays * rest / done < 1000;
        return known ? elapsed * (rest / done) : null;
    }
}
