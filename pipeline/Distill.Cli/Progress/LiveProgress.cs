using Spectre.Console;

namespace Distill.Cli.Progress;

/// <summary>Progress for a terminal: one line that is drawn over, below the lines that stay.</summary>
internal sealed class LiveProgress(IAnsiConsole console, TimeProvider clock) : ProgressDisplay(clock, TimeSpan.FromMilliseconds(100))
{
    private const int BarWidth = 24;
    private string? live; // markup

    public override void Line(string text)
    {
        Erase();
        console.WriteLine(text);
        Draw();
    }

    protected override void ShowBegin(string note) => Replace(0, note);

    protected override void Show(double share, string description) => Replace(share, description);

    protected override void Clear()
    {
        Erase();
        live = null;
    }

    private void Replace(double share, string description)
    {
        int filled = (int)(share * BarWidth);
        string head = $"  {Title,-12}", percent = $" {100 * share,3:F0} %  ";
        int room = Math.Max(0, console.Profile.Width - 1 - head.Length - BarWidth - percent.Length);
        string rest = description.Length > room ? description[..room] : description;
        Erase();
        live = $"{Markup.Escape(head)}[green]{new string('━', filled)}[/][grey]{new string('━', BarWidth - filled)}[/]{percent}[grey]{Markup.Escape(rest)}[/]";
        Draw();
    }

    private void Draw()
    {
        if (live is not null) console.Markup(live);
    }

    private void Erase()
    {
        if (live is not null) console.Write(new ControlCode("\r\x1b[2K"));
    }
}
