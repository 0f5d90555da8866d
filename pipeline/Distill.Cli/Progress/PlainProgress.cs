namespace Distill.Cli.Progress;

/// <summary>Progress for log files: whole lines, few of them.</summary>
internal sealed class PlainProgress(TextWriter writer, TimeProvider clock) : ProgressDisplay(clock, TimeSpan.FromSeconds(10))
{
    public override void Line(string text) => writer.WriteLine(text);

    protected override void ShowBegin(string note) => Line(note.Length > 0 ? $"{Title}: {note}" : $"{Title} ...");

    protected override void Show(double share, string description) => Line($"{Title}: {100 * share:F0} %, {description}");

    protected override void Clear()
    {
    }
}
