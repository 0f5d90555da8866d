namespace Distill.Pipeline.Runs;

/// <summary>What a run would do with a stage.</summary>
public enum StageDecision
{
    /// <summary>It would be done.</summary>
    Run,

    /// <summary>Finished already, in this run or another.</summary>
    Cached,

    /// <summary>The recipe or the options leave it out.</summary>
    Skipped,

    /// <summary>Depends on what an earlier stage will make: done, unless that comes out as before.</summary>
    Depends,
}

/// <param name="Reason">Why, in words.</param>
/// <param name="Work">How much, e.g. <c>4,000 problems × 1 sample, at most 768,000 tokens</c>; empty when there is nothing to do.</param>
/// <param name="MemoryBytes">
/// Most memory of the computer that the models and their buffers take, predicted; null when nothing is done or it is unknown.
/// </param>
/// <param name="CardMemoryBytes">The same of the card that the work is done on; null where none is used.</param>
public sealed record PlannedStage(
    string Name, StageDecision Decision, string Reason, string Work, long? MemoryBytes = null, long? CardMemoryBytes = null);

/// <summary>What <c>distill plan</c> shows.</summary>
public sealed record RunPlan(string Name, string Folder, IReadOnlyList<PlannedStage> Stages)
{
    /// <summary>What is to be looked at in the models and stops nothing, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Where what is done, and why there, e.g. <c>training</c>: <c>cpu (libcuda.so.1 was not found)</c>.</summary>
    public IReadOnlyDictionary<string, string> Devices { get; init; } = new Dictionary<string, string>();
}
