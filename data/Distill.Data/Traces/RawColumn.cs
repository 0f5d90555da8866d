using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace Distill.Data.Traces;

/// <summary>Definition and repetition levels (Dremel, Melnik et al. 2010) of one-level lists, and bounded reading of a column.</summary>
internal static class RawColumn
{
    /// <summary>Bounds that no honest row group reaches: values of one column, and its bytes before decompression.</summary>
    private const long MaxValues = 1L << 28, MaxColumnBytes = 1L << 31;

    /// <summary>Levels of lists with these lengths; an empty list takes one entry, one level below "list present and empty".</summary>
    /// <param name="counts">Length of each row's list.</param>
    /// <param name="present">Definition level of an element that is there.</param>
    public static (ReadOnlyMemory<int>? Definitions, ReadOnlyMemory<int>? Repetitions) Levels(int[] counts, int present)
    {
        const int Empty = 1; // the list itself is optional: 0 is a null list, 1 an empty one
        var definitions = new List<int>(counts.Length);
        var repetitions = new List<int>(counts.Length);
        foreach (int count in counts)
        {
            for (int i = 0; i < Math.Max(count, 1); i++)
            {
                definitions.Add(count == 0 ? Empty : present);
                repetitions.Add(i == 0 ? 0 : 1);
            }
        }

        return (definitions.ToArray(), repetitions.ToArray());
    }

    /// <summary>Length of each row's list, from the levels of its elements.</summary>
    public static int[] Counts(ReadOnlySpan<int> definitions, ReadOnlySpan<int> repetitions, int present, int rows, string column)
    {
        int[] counts = new int[rows];
        int row = -1;
        for (int i = 0; i < definitions.Length; i++)
        {
            bool starts = repetitions[i] == 0;
            if (starts && ++row == rows) throw new InvalidDataException($"column '{column}' has more than {rows} rows");
            if (row < 0) throw new InvalidDataException($"column '{column}' begins inside a list");
            if (definitions[i] == present) counts[row]++;
            else if (!starts || counts[row] > 0) throw new InvalidDataException($"column '{column}' has a null element in row {row}");
        }

        return row == rows - 1 ? counts : throw new InvalidDataException($"column '{column}' has {row + 1} rows, not {rows}");
    }

    /// <exception cref="InvalidDataException">The column has another type, or sizes that cannot be.</exception>
    public static async Task<RawColumnData<T>> ReadAsync<T>(ParquetRowGroupReader group, DataField leaf, CancellationToken cancellation)
        where T : struct
    {
        var chunk = group.GetMetadata(leaf)?.MetaData ?? throw new InvalidDataException($"column '{leaf.Path}' has no data");
        if (chunk.NumValues is < 0 or > MaxValues || chunk.TotalUncompressedSize is < 0 or > MaxColumnBytes)
            throw new InvalidDataException($"column '{leaf.Path}' declares {chunk.NumValues} values in {chunk.TotalUncompressedSize} bytes");
        var raw = await group.ReadRawColumnDataBaseAsync(leaf, cancellation).ConfigureAwait(false);
        if (raw is RawColumnData<T> typed) return typed;
        raw.Dispose();
        throw new InvalidDataException($"column '{leaf.Path}' holds {leaf.ClrType.Name}, not {typeof(T).Name}");
    }
}
