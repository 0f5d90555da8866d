using Parquet;
using Parquet.Schema;

namespace Distill.Data.Traces;

/// <summary>A column with a list of numbers per row; an empty list and an absent one are the same.</summary>
internal sealed record ListColumn<T>(string Column, string Type, Func<TraceRow, IReadOnlyList<T>> Get, Action<TraceRow, IReadOnlyList<T>> Set)
    : TraceColumn(new ListField(Column, new DataField("element", typeof(T), false)), $$"""{"feature":{{Value(Type)}},"_type":"List"}""", true)
    where T : struct
{
    public override IReadOnlyList<DataField> Leaves => [(DataField)((ListField)Field).Item];

    public override Task WriteAsync(ParquetRowGroupWriter group, IReadOnlyList<TraceRow> rows, CancellationToken cancellation)
    {
        var leaf = Leaves[0];
        var lists = rows.Select(Get).ToArray();
        var (definitions, repetitions) = RawColumn.Levels([.. lists.Select(list => list.Count)], leaf.MaxDefinitionLevel);
        return group.WriteAllPartsAsync<T>(leaf, lists.SelectMany(list => list).ToArray(), definitions, repetitions, cancellation);
    }

    public override async Task ReadAsync(
        ParquetRowGroupReader group, IReadOnlyList<DataField> leaves, TraceRow[] rows, CancellationToken cancellation)
    {
        using var raw = await RawColumn.ReadAsync<T>(group, leaves[0], cancellation).ConfigureAwait(false);
        int[] counts = RawColumn.Counts(raw.DefinitionLevels, raw.RepetitionLevels, leaves[0].MaxDefinitionLevel, rows.Length, Name);
        var values = raw.Values;
        int next = 0;
        for (int row = 0; row < rows.Length; row++)
        {
            Set(rows[row], values.Slice(next, counts[row]).ToArray());
            next += counts[row];
        }
    }
}
