using Distill.Cli.Output;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Progress;

/// <summary>Shows a run to people: a line for each stage that ended, and the progress of the one at work.</summary>
internal sealed class ConsoleRunObserver(ProgressDisplay display) : IRunObserver
{
    public void RunStarted(string name, string folder) => display.Line($"{name} in {folder}");

    public void StageStarted(string stage, string reason) => display.Begin(stage, reason);

    public void Progress(string stage, StageProgress progress) => display.Report(progress);

    public void Metric(string stage, int step, IReadOnlyDictionary<string, double> values)
    {
        // metrics.jsonl has them all; the progress line shows what is worth a glance.
    }

    public void StageFinished(string stage, TimeSpan elapsed, string summary)
    {
        display.End();
        display.Line($"✓ {stage,-12} {Readable.Duration(elapsed),8}  {summary}");
    }

    public void StageCached(string stage, string reason, string summary) => display.Line($"= {stage,-12} {reason,8}  {summary}");

    public void Warning(string message) => display.Line($"! {message}");
}
