namespace Distill.Pipeline.Reporting;

/// <summary>What became of a stage.</summary>
public enum StageState
{
    /// <summary>Done by this run.</summary>
    Done,

    /// <summary>Taken as it was: finished before, by this run or another.</summary>
    Cached,

    /// <summary>The recipe or the options leave it out.</summary>
    Skipped,

    /// <summary>It, or its gate, failed.</summary>
    Failed,
}

/// <param name="Reason">Why it ran or did not, in words.</param>
/// <param name="Seconds">Time it took; null when it did not run.</param>
/// <param name="Inputs">Name → digest of what it read.</param>
/// <param name="Outputs">Name → digest of what it made.</param>
public sealed record StageReport(
    string Name,
    StageState State,
    string Reason,
    double? Seconds,
    IReadOnlyDictionary<string, string> Inputs,
    IReadOnlyDictionary<string, string> Outputs);
