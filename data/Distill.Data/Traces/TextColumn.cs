using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace Distill.Data.Traces;

/// <summary>
/// A column with one text, or none, per row. Rows that follow each other with the same text (a teacher's name, a digest) share one string
/// in memory.
/// </summary>
internal sealed record TextColumn(
    string Column, bool IsNullable, bool MayBeAbsent, Func<TraceRow, string?> Get, Action<TraceRow, string?> Set)
    : TraceColumn(new DataField(Column, typeof(string), IsNullable), Value("string"), MayBeAbsent)
{
    public override IReadOnlyList<DataField> Leaves => [(DataField)Field];

    public override Task WriteAsync(ParquetRowGroupWriter group, IReadOnlyList<TraceRow> rows, CancellationToken cancellation)
    {
        var texts = new List<ReadOnlyMemory<char>>(rows.Count);
        int[] definitions = new int[rows.Count];
        for (int row = 0; row < rows.Count; row++)
        {
            if (Get(rows[row]) is not { } text) continue;
            texts.Add(text.AsMemory());
            definitions[row] = 1;
        }

        ReadOnlyMemory<ReadOnlyMemory<char>> values = texts.ToArray();
        return IsNullable
            ? group.WriteAllPartsAsync(Leaves[0], values, definitions, null, cancellation)
            : group.WriteAsync(Leaves[0], values, null, null, cancellation);
    }

    public override async Task ReadAsync(
        ParquetRowGroupReader group, IReadOnlyList<DataField> leaves, TraceRow[] rows, CancellationToken cancellation)
    {
        using var raw = await RawColumn.ReadAsync<ReadOnlyMemory<char>>(group, leaves[0], cancellation).ConfigureAwait(false);
        Distribute(raw, leaves[0].MaxDefinitionLevel, rows);
    }

    // Values lie packed: a row without a value takes none.
    private void Distribute(RawColumnData<ReadOnlyMemory<char>> raw, int present, TraceRow[] rows)
    {
        var values = raw.Values;
        var levels = present > 0 ? raw.DefinitionLevels : [];
        if ((present > 0 ? levels.Length : values.Length) < rows.Length)
            throw new InvalidDataException($"column '{Name}' ends before row {rows.Length}");
        int next = 0;
        string last = "";
        for (int row = 0; row < rows.Length; row++)
        {
            if (present == 0 || levels[row] == present)
            {
                var text = values[next++].Span;
                if (!text.SequenceEqual(last)) last = text.ToString();
                Set(rows[row], last);
            }
            else if (IsNullable) Set(rows[row], null);
            else throw new InvalidDataException($"column '{Name}' has no value in row {row}");
        }
    }
}
