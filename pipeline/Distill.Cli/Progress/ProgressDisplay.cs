using Distill.Cli.Output;
using Distill.Pipeline.Runs;
using Spectre.Console;

namespace Distill.Cli.Progress;

/// <summary>
/// Shows on standard error how far the current piece of work is: a live line on a terminal, a plain line now and then elsewhere.
/// Calls may come from any thread, one at a time.
/// </summary>
internal abstract class ProgressDisplay(TimeProvider clock, TimeSpan interval) : IDisposable
{
    private readonly ProgressMeter meter = new(clock);
    private long lastShown;

    protected string Title { get; private set; } = "";

    public static ProgressDisplay Create(ConsoleStreams streams, TimeProvider clock)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = streams.ErrorIsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(streams.Error),
        });
        return console.Profile.Capabilities.Ansi ? new LiveProgress(console, clock) : new PlainProgress(streams.Error, clock);
    }

    /// <summary>A piece of work begins.</summary>
    public void Begin(string title, string note = "")
    {
        Title = title;
        meter.Restart();
        lastShown = clock.GetTimestamp();
        ShowBegin(note);
    }

    /// <summary>Cheap enough to be called at every step: it shows what is due.</summary>
    public void Report(StageProgress progress)
    {
        meter.See(progress);
        bool due = clock.GetElapsedTime(lastShown) >= interval;
        if (!due) return;
        lastShown = clock.GetTimestamp();
        Show(ProgressMeter.ShareOf(progress), meter.Describe(progress));
    }

    /// <summary>The current piece of work has ended; its line goes.</summary>
    public void End()
    {
        Title = "";
        Clear();
    }

    /// <summary>A line that stays.</summary>
    public abstract void Line(string text);

    public void Dispose() => End();

    protected abstract void ShowBegin(string note);

    protected abstract void Show(double share, string description);

    protected abstract void Clear();
}
