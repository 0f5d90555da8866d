using Parquet;
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
    public abstract Task ReadAsync(ParquetRowGroupReader group, IReadOnlyList<DataField> leaves, TraceRow[] rows, CancellationToken cancellation);

    protected static string Value(string type) => $$"""{"dtype":"{{type}}","_type":"Value"}""";
}
