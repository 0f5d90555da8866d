using System.Runtime.CompilerServices;
using Distill.Storage;
using Parquet;
using Parquet.Schema;

namespace Distill.Data.Traces;

/// <summary>
/// Reads trace files row group by row group. Whatever is wrong with a file (not Parquet, a column missing or of another type,
/// damaged pages, impossible sizes) becomes one <see cref="InvalidDataException"/> that names the file and the reason.
/// Parquet pages carry no checksum: that content is what was written is for <c>Artifact.PathOf</c> to check first.
/// </summary>
internal static class TraceReader
{
    /// <summary>More rows than any group we write.</summary>
    private const long MaxRowsPerGroup = 10_000_000;

    /// <param name="wanted">Which columns to read; the others are as if they were empty. Null: all.</param>
    /// <exception cref="InvalidDataException">Not a trace file, or a damaged one.</exception>
    public static IAsyncEnumerable<Trace> ReadAsync(
        string path, Func<TraceColumn, bool>? wanted = null, CancellationToken cancellation = default) =>
        RowsAsync(path, TraceColumns.Raw, wanted, row => row.ToTrace(), cancellation);

    /// <inheritdoc cref="ReadAsync" path="/param"/>
    /// <exception cref="InvalidDataException">Not a file of graded traces, or a damaged one.</exception>
    public static IAsyncEnumerable<GradedTrace> ReadGradedAsync(
        string path, Func<TraceColumn, bool>? wanted = null, CancellationToken cancellation = default) =>
        RowsAsync(path, TraceColumns.Graded, wanted, row => row.ToGradedTrace(), cancellation);

    /// <summary>Rows as they lie in the file, for whoever needs a few columns only.</summary>
    /// <inheritdoc cref="ReadAsync"/>
    public static IAsyncEnumerable<TraceRow> ReadRowsAsync(
        string path, Func<TraceColumn, bool> wanted, CancellationToken cancellation = default) =>
        RowsAsync(path, TraceColumns.Raw, wanted, row => row, cancellation);

    /// <inheritdoc cref="ReadRowsAsync"/>
    public static IAsyncEnumerable<TraceRow> ReadGradedRowsAsync(
        string path, Func<TraceColumn, bool> wanted, CancellationToken cancellation = default) =>
        RowsAsync(path, TraceColumns.Graded, wanted, row => row, cancellation);

    /// <summary>Rows that a file's footer declares.</summary>
    internal static async Task<long> CountAsync(Stream stream)
    {
        await using var reader = await ParquetReader.CreateAsync(stream, null, true).ConfigureAwait(false);
        return Enumerable.Range(0, reader.RowGroupCount).Sum(i => reader.RowGroups[i].RowCount);
    }

    private static async IAsyncEnumerable<T> RowsAsync<T>(
        string path, IReadOnlyList<TraceColumn> columns, Func<TraceColumn, bool>? wanted, Func<TraceRow, T> convert,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        await using var reader = await Named(path, () => ParquetReader.CreateAsync(stream, null, true, cancellation)).ConfigureAwait(false);
        var leaves = await Named(path, () => Task.FromResult(Match(reader.Schema, columns))).ConfigureAwait(false);
        for (int column = 0; column < columns.Count; column++)
        {
            if (wanted is not null && !wanted(columns[column])) leaves[column] = [];
        }

        for (int i = 0; i < reader.RowGroupCount; i++)
        {
            int index = i;
            var rows = await Named(path, () => ReadGroupAsync(reader, index, columns, leaves, cancellation)).ConfigureAwait(false);
            for (int row = 0; row < rows.Length; row++)
            {
                yield return Converted(path, rows[row], convert);
                rows[row] = null!; // the reader of a sequence may let go of what it has seen, and so must this
            }
        }
    }

    private static async Task<TraceRow[]> ReadGroupAsync(
        ParquetReader reader, int index, IReadOnlyList<TraceColumn> columns, IReadOnlyList<DataField>[] leaves,
        CancellationToken cancellation)
    {
        using var group = reader.OpenRowGroupReader(index);
        if (group.RowCount is < 0 or > MaxRowsPerGroup) throw new InvalidDataException($"row group {index} declares {group.RowCount} rows");
        var rows = new TraceRow[group.RowCount];
        for (int row = 0; row < rows.Length; row++) rows[row] = new TraceRow();
        for (int column = 0; column < columns.Count; column++)
        {
            if (leaves[column].Count == 0) continue;
            await columns[column].ReadAsync(group, leaves[column], rows, cancellation).ConfigureAwait(false);
        }

        return rows;
    }

    /// <summary>For each of our columns the file's leaves; none where an optional column is absent.</summary>
    private static IReadOnlyList<DataField>[] Match(ParquetSchema schema, IReadOnlyList<TraceColumn> columns)
    {
        var leaves = schema.DataFields.ToLookup(leaf => leaf.Path.FirstPart ?? leaf.Name);
        var wrong = new List<string>();
        foreach (var column in columns)
        {
            var found = leaves[column.Name].ToList();
            if (found.Count == 0 && column.IsOptional) continue;
            if (found.Count == 0) wrong.Add($"'{column.Name}' is missing");
            else if (!Shape(found).SequenceEqual(Shape(column.Leaves))) wrong.Add($"'{column.Name}' has another type");
        }

        if (wrong.Count > 0) throw new InvalidDataException($"its columns are not those of a trace file: {string.Join(", ", wrong)}");
        return [.. columns.Select(column => leaves[column.Name].ToList())];
    }

    private static IEnumerable<(Type Type, int Lists)> Shape(IEnumerable<DataField> leaves) =>
        leaves.Select(leaf => (leaf.ClrType, leaf.MaxRepetitionLevel));

    private static T Converted<T>(string path, TraceRow row, Func<TraceRow, T> convert)
    {
        try
        {
            return convert(row);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            throw Fault(path, fault);
        }
    }

    // Parquet.Net meets damage with exceptions of many kinds; all of them mean that this file is bad.
    private static async Task<T> Named<T>(string path, Func<Task<T>> read)
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            throw Fault(path, fault);
        }
    }

    private static InvalidDataException Fault(string path, Exception fault) =>
        new(Printable.Of($"Cannot read traces from '{path}': {fault.Message.TrimEnd('.')}."), fault);
}
