using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace Distill.Data.Traces;

/// <summary>A column with one value, or null, per row.</summary>
internal sealed record ValueColumn<T>(DataField Leaf, string Type, Func<TraceRow, T?> Get, Action<TraceRow, T?> Set)
    : TraceColumn(Leaf, Value(Type), false)
    where T : struct
{
    public override IReadOnlyList<DataField> Leaves => [Leaf];

    public override Task WriteAsync(ParquetRowGroupWriter group, IReadOnlyList<TraceRow> rows, CancellationToken cancellation)
    {
        var values = rows.Select(Get).ToArray();
        return Leaf.IsNullable
            ? group.WriteAllPartsAsync<T>(Leaf, Present(values), values.Select(value => value is null ? 0 : 1).ToArray(), null, cancellation)
            : group.WriteAsync<T>(Leaf, Present(values), null, null, cancellation);
    }

    public override async Task ReadAsync(
        ParquetRowGroupReader group, IReadOnlyList<DataField> leaves, TraceRow[] rows, CancellationToken cancellation)
    {
        using var raw = await RawColumn.ReadAsync<T>(group, leaves[0], cancellation).ConfigureAwait(false);
        Distribute(raw, leaves[0].MaxDefinitionLevel, rows);
    }

    private static ReadOnlyMemory<T> Present(T?[] values) => values.OfType<T>().ToArray();

    // Values lie packed: a row without a value takes none.
    private void Distribute(RawColumnData<T> raw, int present, TraceRow[] rows)
    {
        var values = raw.Values;
        var levels = present > 0 ? raw.DefinitionLevels : [];
        if ((present > 0 ? levels.Length : values.Length) < rows.Length)
            throw new InvalidDataException($"column '{Name}' ends before row {rows.Length}");
        int next = 0;
        for (int row = 0; row < rows.Length; row++)
        {
            if (present == 0 || levels[row] == present) Set(rows[row], values[next++]);
            else if (Leaf.IsNullable) Set(rows[row], null);
            else throw new InvalidDataException($"column '{Name}' has no value in row {row}");
        }
    }
}
