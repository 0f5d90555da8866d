using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace Distill.Data.Traces;

/// <summary>One top-level column: its place in the schema, its Hugging Face feature, and its way between rows and the file.</summary>
/// <param name="Field">As declared in files we write.</param>
/// <param name="Feature">JSON of the Hugging Face feature.</param>
/// <param name="IsOptional">Whether files without it can be read.</param>
internal abstract record TraceColumn(Field Field, string Feature, bool IsOptional)
{
    public string Name => Field.Name;

    /// <summary>Leaves below this column, in file order.</summary>
    public abstract IReadOnlyList<DataField> Leaves { get; }

    public abstract Task WriteAsync(ParquetRowGroupWriter group, IReadOnlyList<TraceRow> rows, CancellationToken cancellation);

    /// <param name="leaves">The file's own leaves of this column, which may be nullable where ours are not.</param>
    public abstract Task ReadAsync(
        ParquetRowGroupReader group, IReadOnlyList<DataField> leaves, TraceRow[] rows, CancellationToken cancellation);

    protected static string Value(string type) => $$"""{"dtype":"{{type}}","_type":"Value"}""";
}

/// <summary>A column with one value, or null, per row.</summary>
internal sealed record ValueColumn<T>(DataField Leaf, string Type, Func<TraceRow, T?> Get, Action<TraceRow, T?> Set)
    : TraceColumn(Leaf, Value(Type), false)
    where T : struct
{
    public override IReadOnlyList<DataField> Leaves => [Leaf];

    public override Task WriteAsync(ParquetRowGroupWriter group, IReadOnlyList<TraceRow> rows, CancellationToken cancellation)
    {
        var values = rows.Select(Get).ToArray();
        int[] definitions = [.. values.Select(value => value is null ? 0 : 1)];
        return Leaf.IsNullable
            ? group.WriteAllPartsAsync<T>(Leaf, Present(values), definitions, null, cancellation)
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

/// <summary>A column with a list of numbers per row; an empty list and an absent one are the same.</summary>
internal sealed record ListColumn<T>(
    string Column, string Type, Func<TraceRow, IReadOnlyList<T>> Get, Action<TraceRow, IReadOnlyList<T>> Set)
    : TraceColumn(
        new ListField(Column, new DataField("element", typeof(T), false)), $$"""{"feature":{{Value(Type)}},"_type":"List"}""", true)
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
        int[] counts = RawColumn.Counts(raw.DefinitionLevels, raw.RepetitionLevels, leaves[0], rows.Length, Name);
        var values = raw.Values;
        int next = 0;
        for (int row = 0; row < rows.Length; row++)
        {
            Set(rows[row], values.Slice(next, counts[row]).ToArray());
            next += counts[row];
        }
    }
}

/// <summary>
/// The conversation, a list of {role, content}. It is derived from other columns for trainers that expect it, so reading a
/// trace only requires that it is there.
/// </summary>
internal sealed record MessagesColumn() : TraceColumn(
    new ListField(
        "messages",
        new StructField("element", new DataField("role", typeof(string), false), new DataField("content", typeof(string), false))),
    $$"""{"feature":{"role":{{Value("string")}},"content":{{Value("string")}}},"_type":"List"}""",
    false)
{
    public override IReadOnlyList<DataField> Leaves => [.. ((StructField)((ListField)Field).Item).Fields.Cast<DataField>()];

    public override async Task WriteAsync(ParquetRowGroupWriter group, IReadOnlyList<TraceRow> rows, CancellationToken cancellation)
    {
        var messages = rows.Select(row => row.Messages).ToArray();
        var (definitions, repetitions) = RawColumn.Levels([.. messages.Select(list => list.Count)], Leaves[0].MaxDefinitionLevel);
        var roles = messages.SelectMany(list => list).Select(message => message.Role.AsMemory()).ToArray();
        var contents = messages.SelectMany(list => list).Select(message => message.Content.AsMemory()).ToArray();
        foreach (var (leaf, texts) in Leaves.Zip([roles, contents]))
            await group.WriteAllPartsAsync<ReadOnlyMemory<char>>(leaf, texts, definitions, repetitions, cancellation).ConfigureAwait(false);
    }

    public override Task ReadAsync(
        ParquetRowGroupReader group, IReadOnlyList<DataField> leaves, TraceRow[] rows, CancellationToken cancellation) =>
        Task.CompletedTask;
}

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
    /// <exception cref="InvalidDataException">They are no lists of that many rows, or an element is null.</exception>
    public static int[] Counts(ReadOnlySpan<int> definitions, ReadOnlySpan<int> repetitions, DataField leaf, int rows, string column)
    {
        // A null element stands one level below one that is there, where the file lets elements be null; an empty or null list below that.
        int present = leaf.MaxDefinitionLevel, hole = leaf.IsNullable ? present - 1 : -1;
        int[] counts = new int[rows];
        int row = -1;
        for (int i = 0; i < definitions.Length; i++)
        {
            bool starts = repetitions[i] == 0;
            if (starts && ++row == rows) throw new InvalidDataException($"column '{column}' has more than {rows} rows");
            if (row < 0) throw new InvalidDataException($"column '{column}' begins inside a list");
            if (definitions[i] == present) counts[row]++;
            else if (!starts || definitions[i] == hole)
                throw new InvalidDataException($"column '{column}' has a null element in row {row}");
        }

        return row == rows - 1 ? counts : throw new InvalidDataException($"column '{column}' has {row + 1} rows, not {rows}");
    }

    /// <exception cref="InvalidDataException">The column has another type, or sizes that cannot be.</exception>
    public static async Task<RawColumnData<T>> ReadAsync<T>(ParquetRowGroupReader group, DataField leaf, CancellationToken cancellation)
        where T : struct
    {
        var chunk = group.GetMetadata(leaf)?.MetaData ?? throw new InvalidDataException($"column '{leaf.Path}' has no data");
        if (chunk.NumValues is < 0 or > MaxValues || chunk.TotalUncompressedSize is < 0 or > MaxColumnBytes)
        {
            throw new InvalidDataException(
                $"column '{leaf.Path}' declares {chunk.NumValues} values in {chunk.TotalUncompressedSize} bytes");
        }

        var raw = await group.ReadRawColumnDataBaseAsync(leaf, cancellation).ConfigureAwait(false);
        if (raw is RawColumnData<T> typed) return typed;
        raw.Dispose();
        throw new InvalidDataException($"column '{leaf.Path}' holds {leaf.ClrType.Name}, not {typeof(T).Name}");
    }
}
