using Distill.Data.Problems;

namespace Distill.Data.Sources;

/// <summary>
/// Where problems come from: files, a data set's folder, existing traces. A source gives what its rows hold, in their order, and says of
/// a row that is no problem why it is none. Reading twice gives the same. One thread at a time.
/// </summary>
public interface IProblemSource
{
    /// <summary>What its problems carry as <see cref="Problem.Source"/>, and reports call it.</summary>
    string Name { get; }

    /// <summary>Reads while it is enumerated; what is open is closed with the enumerator.</summary>
    /// <exception cref="InvalidDataException">
    /// While enumerating: a file as a whole cannot be read (missing, damaged, another encoding, too large). Bad rows are items instead.
    /// </exception>
    IEnumerable<SourceItem> Read();
}

/// <summary>A row of a source: a problem, or why it is none.</summary>
/// <param name="Place">Where the row stands.</param>
/// <param name="Problem">Its split is what <see cref="SplitRule"/> says of its signature; null for a bad row.</param>
/// <param name="Fault">What is wrong with a bad row, in half a sentence; null for a problem.</param>
public sealed record SourceItem(SourcePlace Place, Problem? Problem, string? Fault = null);

/// <summary>A line of a text, or a row of a table, as messages name it: <c>train.jsonl, line 12</c>.</summary>
/// <param name="File">As the source calls it: without the folders that lead to it.</param>
/// <param name="Unit"><c>line</c> or <c>row</c>.</param>
/// <param name="Number">From 1.</param>
public readonly record struct SourcePlace(string File, string Unit, long Number)
{
    public override string ToString() => Number == 0 ? File : $"{File}, {Unit} {Number}";
}
