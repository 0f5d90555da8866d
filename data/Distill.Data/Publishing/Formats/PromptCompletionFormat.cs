using System.Text.Json;

namespace Distill.Data.Publishing.Formats;

/// <summary>
/// <c>prompt</c> and <c>completion</c> as TRL reads them in its conversational form, where only the completion is learned. Plain texts
/// instead of lists are read too.
/// </summary>
internal sealed record PromptCompletionFormat()
    : TraceFormat("prompt-completion", "TRL: prompt and completion, of which the second is learned")
{
    private const string Prompt = "prompt", Completion = "completion";
    private const string Messages = "STRUCT(\"role\" VARCHAR, \"content\" VARCHAR)[]";

    public override IReadOnlyList<(string Name, string Type)> Columns { get; } =
        [(Prompt, Messages), (Completion, Messages), .. OriginColumns];

    public override bool Fits(ForeignRow row) => row.Has(Prompt) && row.Has(Completion);

    public override void Write(Utf8JsonWriter row, IReadOnlyList<PublishedTrace> traces)
    {
        var problem = traces[0].Trace.Problem;
        row.WriteStartArray(Prompt);
        ChatMessages.WritePrompt(row, problem.System, problem.Text);
        row.WriteEndArray();
        row.WriteStartArray(Completion);
        ChatMessages.Write(row, "assistant", traces[0].Completion);
        row.WriteEndArray();
        WriteOrigin(row, traces[0].Trace);
    }

    public override IEnumerable<ImportedTrace> Read(ForeignRow row)
    {
        var prompt = row.Required(Prompt);
        var asked = prompt.ValueKind == JsonValueKind.String
            ? new ChatMessages(null, row.Text(Prompt), null) : ChatMessages.Read(prompt, Prompt);
        var (reasoning, answer) = ReasoningText.Split(CompletionOf(row));
        yield return WithOrigin(new ImportedTrace(asked.Question, reasoning, answer) { System = asked.System }, row);
    }

    private static string CompletionOf(ForeignRow row)
    {
        var completion = row.Required(Completion);
        if (completion.ValueKind == JsonValueKind.String) return row.Text(Completion);
        return completion.ValueKind == JsonValueKind.Array && completion.GetArrayLength() == 1
            ? new ForeignRow(completion[0], Completion).Text("content")
            : throw new FormatException($"'{Completion}' is neither a text nor a list of one message.");
    }
}
