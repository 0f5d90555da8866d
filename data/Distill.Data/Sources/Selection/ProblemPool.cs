using Distill.Data.Problems;
using Distill.Storage;

namespace Distill.Data.Sources.Selection;

/// <summary>A source and what its problems are for.</summary>
/// <param name="Goes">The split that all of them belong to; null: by their content.</param>
/// <param name="Share">Relative to other sources of a split; null where no source has one.</param>
internal sealed record PoolSource(IProblemSource Source, Split? Goes = null, double? Share = null)
{
    /// <summary>Its problems are for nothing; what comes too near to them is left out.</summary>
    public bool IsKeptAway { get; init; }
}

/// <summary>How problems of several sources are put together.</summary>
internal sealed record PoolOptions
{
    /// <summary>A bad row is left out and counted, instead of being a fault.</summary>
    public bool SkipsBadRows { get; init; }

    /// <summary>Jaccard similarity from which two questions say nearly the same; 1: only equal ones do.</summary>
    public double NearDuplicates { get; init; } = 0.8;

    /// <summary>
    /// So many words in a row, shared with a question of a split that goes before (kept away, test, validation, train), and a question is
    /// left out; 0: never.
    /// </summary>
    public int SharedWords { get; init; } = 8;

    /// <summary>Splits that some source is there for alone, in or beside the pool: of the others nothing is held out for them.</summary>
    public IReadOnlyCollection<Split> OwnSplits { get; init; } = [];

    public ProblemVerifiers Verifiers { get; init; } = ProblemVerifiers.Standard;

    /// <summary>Where a problem of a source without a split goes: what another source brings is not held out of it.</summary>
    public Split SplitOf(Problem problem) => OwnSplits.Contains(problem.Split) ? Split.Train : problem.Split;
}

/// <summary>
/// All problems of some sources, each question once, in their order, held apart: a training question that a held-out one repeats, says
/// nearly alike, or shares a run of words with is left out, never the held-out one. Immutable once made.
/// </summary>
internal sealed class ProblemPool
{
    private readonly IReadOnlyList<PooledProblem> problems;

    private ProblemPool(IReadOnlyList<PooledProblem> problems, IReadOnlyList<SourceReport> reports, IReadOnlyList<DroppedRow> dropped) =>
        (this.problems, Reports, Dropped) = (problems, reports, dropped);

    /// <summary>One for each source, in their order.</summary>
    public IReadOnlyList<SourceReport> Reports { get; }

    public IReadOnlyList<DroppedRow> Dropped { get; }

    /// <summary>What is left for a split of one source (by its place among the sources), in the source's order.</summary>
    public IEnumerable<Problem> Of(int source, Split split) =>
        problems.Where(item => item.Source == source && item.Split == split).Select(item => item.Problem);

    /// <summary>All that is left, in the order of the sources.</summary>
    public IEnumerable<Problem> All() => problems.Select(item => item.Problem);

    /// <summary>Reads all sources.</summary>
    /// <exception cref="BadRowsException">Rows are no problems, and the options do not pass over them.</exception>
    /// <exception cref="InvalidDataException">A file cannot be read.</exception>
    public static ProblemPool Gather(IReadOnlyList<PoolSource> sources, PoolOptions options, CancellationToken cancellation = default)
    {
        var reading = new PoolReading(sources, options);
        var read = reading.Read(cancellation);
        var left = new PoolSeparation(read, options, reading.Drop).Separate(cancellation);
        foreach (var item in left)
        {
            var counts = reading.Reports[item.Source].Left;
            counts[item.Split] = counts.GetValueOrDefault(item.Split) + 1;
        }

        return new ProblemPool(left, reading.Reports, reading.Dropped);
    }
}

/// <summary>A problem on its way through the pool.</summary>
/// <param name="Source">The source's place among the sources.</param>
/// <param name="IsKeptAway">It is there for others to be held against only.</param>
internal sealed record PooledProblem(int Source, string SourceName, SourcePlace Place, Split Split, Problem Problem, bool IsKeptAway);

/// <summary>Rows of sources → problems in their splits; bad rows are collected.</summary>
internal sealed class PoolReading(IReadOnlyList<PoolSource> sources, PoolOptions options)
{
    private const int MostFaults = 10;

    private readonly List<string> faults = [];
    private readonly List<DroppedRow> dropped = [];

    // What no source brings of its own is held out by content; what one brings is not taken from the others.
    private readonly HashSet<Split> own = [.. sources.Where(source => !source.IsKeptAway).Select(source => source.Goes).OfType<Split>()
        .Concat(options.OwnSplits).Where(split => split != Split.Train)];

    private long bad;

    public IReadOnlyList<SourceReport> Reports { get; } = [.. sources.Select(source => new SourceReport(source.Source.Name))];

    public IReadOnlyList<DroppedRow> Dropped => dropped;

    public List<PooledProblem> Read(CancellationToken cancellation)
    {
        var problems = new List<PooledProblem>();
        for (int i = 0; i < sources.Count; i++)
        {
            foreach (var item in sources[i].Source.Read())
            {
                if (++Reports[i].Rows % 1024 == 0) cancellation.ThrowIfCancellationRequested();
                if (Take(i, item) is { } taken) problems.Add(taken);
            }
        }

        if (bad > 0 && !options.SkipsBadRows) throw new BadRowsException(faults, bad);
        return problems;
    }

    public void Drop(PooledProblem item, string reason, string detail) =>
        Drop(item.Source, item.Place, reason, detail, item.Split, item.Problem);

    private PooledProblem? Take(int source, SourceItem item)
    {
        var entry = sources[source];
        if (item.Problem is not { } problem)
        {
            // Of what is only held against, nothing is asked.
            if (!entry.IsKeptAway) Bad(source, item.Place, DropReason.BadRow, item.Fault!, null);
            return null;
        }

        if (!entry.IsKeptAway && FaultOf(problem) is { } fault)
        {
            Bad(source, item.Place, DropReason.UnreadableGold, fault, problem);
            return null;
        }

        var split = entry.Goes ?? (own.Contains(problem.Split) ? Split.Train : problem.Split);
        if (problem.Split != split) problem = problem with { Split = split };
        return new PooledProblem(source, entry.Source.Name, item.Place, split, problem, entry.IsKeptAway);
    }

    private string? FaultOf(Problem problem) => options.Verifiers.TryGet(problem.Verifier)?.FaultOf(problem) is { } fault
        ? $"{Printable.Quote(problem.ReferenceAnswer)}: {fault}" : null;

    private void Bad(int source, SourcePlace place, string reason, string fault, Problem? problem)
    {
        bad++;
        if (faults.Count < MostFaults) faults.Add(Printable.Of($"{place}: {fault}"));
        Drop(source, place, reason, fault, null, problem);
    }

    private void Drop(int source, SourcePlace place, string reason, string detail, Split? split, Problem? problem)
    {
        var report = Reports[source];
        report.Dropped[reason] = report.Dropped.GetValueOrDefault(reason) + 1;
        dropped.Add(new DroppedRow(report.Name, place, reason, detail, split, problem));
    }
}
