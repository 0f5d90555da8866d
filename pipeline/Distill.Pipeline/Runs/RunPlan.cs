using Distill.Pipeline.Planning;

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
    string Name, StageDecision Decision, string Reason, string Work, long? MemoryBytes = null, long? CardMemoryBytes = null)
{
    /// <summary>Completions, examples, problems or prompts, expected; null where there is nothing to do or it is not known.</summary>
    public long? Rows { get; init; }

    /// <summary>Of prompts, expected.</summary>
    public long? PromptTokens { get; init; }

    /// <summary>Of completions, or of what a student reads, expected.</summary>
    public long? Tokens { get; init; }

    /// <summary>Of completions, at most.</summary>
    public long? MostTokens { get; init; }

    /// <summary>Of a training.</summary>
    public int? Steps { get; init; }

    /// <summary>That it will take; see <see cref="Basis"/>.</summary>
    public double? Seconds { get; init; }

    /// <summary>
    /// What the seconds rest on: <c>measured</c> (this stage, with this model and these settings, on this machine), <c>similar</c> (like
    /// work on this machine), <c>estimated</c> (nothing like it was measured; may be wrong by some times).
    /// </summary>
    public string? Basis { get; init; }

    /// <summary>That it leaves on the disk, less what an earlier process wrote of it.</summary>
    public long? DiskBytes { get; init; }

    /// <summary>That lie on the disk while it works, besides.</summary>
    public long? WorkDiskBytes { get; init; }

    /// <summary>
    /// Whether the bytes follow from like results or from the number of parameters; else they are a first estimate.
    /// </summary>
    internal bool IsDiskKnown { get; init; }

    /// <summary>Expected, in the currency of the recipe's prices; null where nothing costs anything.</summary>
    public double? Cost { get; init; }

    internal bool IsDone => Decision is StageDecision.Run or StageDecision.Depends;
}

/// <summary>What <c>distill plan</c> shows.</summary>
public sealed record RunPlan(string Name, string Folder, IReadOnlyList<PlannedStage> Stages)
{
    /// <summary>What is to be looked at in the models and stops nothing, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Where what is done, and why there, e.g. <c>training</c>: <c>cpu (libcuda.so.1 was not found)</c>.</summary>
    public IReadOnlyDictionary<string, string> Devices { get; init; } = new Dictionary<string, string>();

    /// <summary>Of the stages to be done that say how long they take; 0 where none is.</summary>
    public double Seconds => Stages.Sum(stage => stage.Seconds ?? 0);

    internal TimeSpan Time => TimeSpan.FromSeconds(Math.Min(Seconds, TimeSpan.MaxValue.TotalSeconds / 2));

    /// <summary>What the seconds rest on at worst; null where nothing is to be done.</summary>
    public string? Basis => Enum.GetValues<ForecastBasis>().OrderDescending().Select(WordOf)
        .FirstOrDefault(word => Stages.Any(stage => stage.Basis == word));

    /// <summary>Most that the run still takes of the disk at any time.</summary>
    public long DiskBytes => DiskBytesOf(Stages);

    /// <summary>The same without what is a first estimate.</summary>
    internal long KnownDiskBytes => DiskBytesOf(Stages.Where(stage => stage.IsDiskKnown));

    /// <summary>Free where the runs lie.</summary>
    public long? FreeDiskBytes { get; init; }

    /// <summary>Most memory of the computer that any stage takes; null where none is known.</summary>
    public long? MemoryBytes => Stages.Max(stage => stage.MemoryBytes);

    /// <summary>That the process may take.</summary>
    public long? MemoryLimitBytes { get; init; }

    public long PromptTokens => Stages.Sum(stage => stage.PromptTokens ?? 0);

    public long Tokens => Stages.Sum(stage => stage.Tokens ?? 0);

    /// <summary>Null where nothing costs anything.</summary>
    public double? Cost => Stages.Any(stage => stage.Cost is not null) ? Stages.Sum(stage => stage.Cost ?? 0) : null;

    /// <summary>What this machine has too little of, each a sentence with its remedy; with any, the run is refused.</summary>
    public IReadOnlyList<string> Lacks => [.. PlanLimits.Lacks(this)];

    /// <exception cref="RunRefusedException">This machine has too little of something.</exception>
    internal void RequireRoom()
    {
        if (Lacks is [_, ..] lacks) throw new RunRefusedException(string.Join('\n', lacks)) { IsOfMachine = true };
    }

    internal static long DiskBytesOf(IEnumerable<PlannedStage> stages) => stages.Sum(stage => stage.DiskBytes ?? 0)
        + stages.Select(stage => stage.WorkDiskBytes ?? 0).DefaultIfEmpty(0).Max();

    internal static string WordOf(ForecastBasis basis) => basis.ToString().ToLowerInvariant();
}
