using Distill.Pipeline.Runs;

namespace Distill.Cli.Progress;

/// <summary>Traces on their way through a command, which can be ended between two of them and says how far it is.</summary>
internal static class TraceProgress
{
    private const int Every = 1000;

    /// <param name="total">How many there will be; 0 where nobody knows.</param>
    public static IEnumerable<T> Of<T>(IEnumerable<T> traces, long total, CommandContext context)
    {
        long count = 0;
        foreach (var trace in traces)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            if (++count % Every == 0 && total > 0) context.Progress.Report(new StageProgress(Math.Min(count, total), total, "traces"));
            yield return trace;
        }
    }
}
