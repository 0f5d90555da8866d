using System.Text.Json;

namespace Distill.Data.Publishing.Formats;

/// <summary>
/// <c>messages</c>: what chat trainers (TRL's conversational language modelling) read; the thought stands before the answer in its marks.
/// </summary>
internal sealed record MessagesFormat() : TraceFormat("messages", "TRL: a list of messages a row")
{
    private const string Column = "messages";

    public override IReadOnlyList<(string Name, string Type)> Columns { get; } =
        [(Column, "STRUCT(\"role\" VARCHAR, \"content\" VARCHAR)[]"), .. OriginColumns];

    public override bool Fits(ForeignRow row) => row.Has(Column);

    public override void Write(Utf8JsonWriter row, IReadOnlyList<PublishedTrace> traces)
    {
        var problem = traces[0].Trace.Problem;
        row.WriteStartArray(Column);
        ChatMessages.WritePrompt(row, problem.System, problem.Text);
        ChatMessages.Write(row, "assistant", traces[0].Completion);
        row.WriteEndArray();
        WriteOrigin(row, traces[0].Trace);
    }

    public override IEnumerable<ImportedTrace> Read(ForeignRow row)
    {
        var messages = ChatMessages.Read(row.Required(Column), Column);
        var (reasoning, answer) = ReasoningText.Split(messages.RequireAnswer(Column));
        yield return WithOrigin(new ImportedTrace(messages.Question, reasoning, answer) { System = messages.System }, row);
    }
}
