using Distill.Data.Problems;

namespace Distill.Data.Sources.Selection;

/// <summary>A row that became no problem of any split, and why.</summary>
/// <param name="Source">Name of the source.</param>
/// <param name="Reason">A word of <see cref="DropReason"/>.</param>
/// <param name="Detail">In half a sentence.</param>
/// <param name="Split">Where it would have gone; null where that is not known.</param>
/// <param name="Problem">Null for a row that is no problem.</param>
internal sealed record DroppedRow(string Source, SourcePlace Place, string Reason, string Detail, Split? Split, Problem? Problem);

/// <summary>Why rows are left out.</summary>
internal static class DropReason
{
    public const string BadRow = "bad_row", UnreadableGold = "unreadable_gold", Duplicate = "duplicate", NearDuplicate = "near_duplicate",
        HeldOut = "in_held_out", SharedPhrase = "shared_phrase";
}

/// <summary>What came of a source.</summary>
internal sealed class SourceReport(string name)
{
    public string Name { get; } = name;

    public long Rows { get; set; }

    /// <summary>Counts by <see cref="DropReason"/>.</summary>
    public SortedDictionary<string, long> Dropped { get; } = new(StringComparer.Ordinal);

    /// <summary>Problems that are left, by split.</summary>
    public Dictionary<Split, int> Left { get; } = [];

    /// <summary>Rows that are no problem, or whose answer nobody can read.</summary>
    public long Bad => Dropped.GetValueOrDefault(DropReason.BadRow) + Dropped.GetValueOrDefault(DropReason.UnreadableGold);
}

/// <summary>Rows that are no problems, where that is not to be passed over. Names the first of them.</summary>
internal sealed class BadRowsException(IReadOnlyList<string> faults, long count) : Exception(Describe(faults, count))
{
    /// <summary>What a recipe can say instead.</summary>
    public const string Remedy = "mend them, or pass over them by problems.on_bad_row: skip";

    /// <summary>The first ones, each with file, line and reason.</summary>
    public IReadOnlyList<string> Faults { get; } = faults;

    /// <summary>How many there are.</summary>
    public long Count { get; } = count;

    private static string Describe(IReadOnlyList<string> faults, long count)
    {
        string more = count > faults.Count ? $"\n  and {count - faults.Count:N0} more" : "";
        return $"{count:N0} {(count == 1 ? "row is" : "rows are")} no problem:\n"
            + string.Join('\n', faults.Select(fault => "  " + fault)) + more;
    }
}
