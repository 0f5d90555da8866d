namespace Distill.Pipeline.Tracking;

/// <summary>
/// A program elsewhere that shows the runs of many: it gets what <c>metrics.jsonl</c> gets. One thread calls it. Whatever it throws that is
/// an <see cref="IOException"/> or a <see cref="HttpRequestException"/> means that it cannot be reached now; it is called again later, from
/// <see cref="Begin"/> on, with what it was not given yet. Dispose it.
/// </summary>
internal interface ITracker : IDisposable
{
    /// <summary>As messages call it, e.g. <c>MLflow</c>.</summary>
    string Name { get; }

    /// <summary>Makes the run known, or goes on with it.</summary>
    /// <param name="known">What it returned for this run before; null the first time, and where that was another run.</param>
    /// <param name="made">
    /// Told as soon as there is something of the run elsewhere, so that a fault after it does not leave it behind for a second one.
    /// </param>
    /// <returns>By what it knows the run.</returns>
    TrackedPlace Begin(TrackedRun run, TrackedPlace? known, Action<TrackedPlace> made);

    /// <summary>Points in the order they were measured. May be given some of them again.</summary>
    void Write(IReadOnlyList<MetricPoint> points);

    void End(TrackedEnd end);
}

/// <summary>A measurement of a stage, as <c>metrics.jsonl</c> has it.</summary>
/// <param name="Values">Finite numbers.</param>
internal sealed record MetricPoint(DateTimeOffset Time, string Stage, int Step, IReadOnlyDictionary<string, double> Values);

/// <summary>By what a tracker knows a run, and how much of it it has.</summary>
/// <param name="Id">Its own name for the run.</param>
/// <param name="Parameters">Digest of the parameters that it was given, which some never let change.</param>
/// <param name="Bytes">Of <c>metrics.jsonl</c>, up to the end of a line, that it has.</param>
internal sealed record TrackedPlace(string Id, string Parameters, long Bytes = 0)
{
    /// <summary>More that it needs to find the run again; null where it needs nothing.</summary>
    public string? Detail { get; init; }
}

/// <summary>What is said of a run when it is made known.</summary>
/// <param name="Folder">Of the run; trackers that write files write them there.</param>
/// <param name="Parameters">Every value of the resolved recipe, by its key; paths without their folders.</param>
/// <param name="ParametersDigest">Of them.</param>
/// <param name="Tags">Short facts about it.</param>
internal sealed record TrackedRun(
    string Name, string Folder, DateTimeOffset Started, IReadOnlyDictionary<string, string> Parameters, string ParametersDigest,
    IReadOnlyDictionary<string, string> Tags);

/// <param name="Outcome"><c>finished</c>, <c>failed</c>, <c>refused</c> or <c>stopped</c>; a stopped run may go on.</param>
/// <param name="Summary">What its report found, by name, e.g. <c>evaluation/sft/greedy</c>.</param>
/// <param name="Artefacts">Digest of what each stage made.</param>
internal sealed record TrackedEnd(
    DateTimeOffset Time, string Outcome, IReadOnlyDictionary<string, double> Summary, IReadOnlyDictionary<string, string> Artefacts);
