namespace Distill.Pipeline.Runs;

/// <summary>How a run is doing, in one word: the same on pages, in metrics and in lists.</summary>
internal static class RunWord
{
    public const string Running = "running", Finished = "finished", Refused = "refused", Failed = "failed", Stopped = "stopped";

    public static IReadOnlyList<string> All { get; } = [Running, Finished, Refused, Failed, Stopped];

    /// <param name="state">Of the run in that folder.</param>
    public static string Of(RunState state, RunFolder folder) => state switch
    {
        // Workers have it between their units too, when nobody holds its lock and its last word may be that it stopped.
        _ when folder.IsWithWorkers => Running,
        // The lock is only asked for where the run says that somebody holds it: to ask is to touch it.
        { Progress: RunProgress.Running } => folder.IsLocked() ? Running : Stopped,
        { Verdict: RunVerdict.Refused } => Refused,
        { Progress: RunProgress.Finished } => Finished,
        { Progress: RunProgress.Failed } => Failed,
        _ => Stopped,
    };
}
