using Parquet;
using Parquet.Schema;

namespace Distill.Data.Traces;

/// <summary>
/// The conversation, a list of {role, content}. It is derived from other columns for trainers that expect it, so reading a
/// trace only requires that it is there.
/// </summary>
internal sealed record MessagesColumn() : TraceColumn(
    new ListField("messages", new StructField("element", new DataField("role", typeof(string), false), new DataField("content", typeof(string), false))),
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
        await group.WriteAllPartsAsync<ReadOnlyMemory<char>>(Leaves[0], roles, definitions, repetitions, cancellation).ConfigureAwait(false);
        await group.WriteAllPartsAsync<ReadOnlyMemory<char>>(Leaves[1], contents, definitions, repetitions, cancellation).ConfigureAwait(false);
    }

    public override Task ReadAsync(
        ParquetRowGroupReader group, IReadOnlyList<DataField> leaves, TraceRow[] rows, CancellationToken cancellation) => Task.CompletedTask;
}
