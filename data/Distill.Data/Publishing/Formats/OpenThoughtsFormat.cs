using System.Text.Json;

namespace Distill.Data.Publishing.Formats;

/// <summary>
/// The columns of <c>open-thoughts/OpenThoughts-114k</c>: a system message and a conversation whose answer marks thought and solution.
/// What its second configuration, <c>metadata</c>, calls the question, its solution, domain and source stands beside them; rows of that
/// configuration alone (<c>deepseek_reasoning</c>, <c>deepseek_solution</c>) are read too.
/// </summary>
internal sealed record OpenThoughtsFormat()
    : TraceFormat("openthoughts", "columns of open-thoughts/OpenThoughts-114k: a system message and a conversation")
{
    private const string Conversations = "conversations", From = "from", Value = "value";

    private static readonly (string, string) Thought = ("<|begin_of_thought|>", "<|end_of_thought|>");
    private static readonly (string Open, string Close) Solution = ("<|begin_of_solution|>", "<|end_of_solution|>");

    public override IReadOnlyList<(string Name, string Type)> Columns { get; } =
    [
        ("system", "VARCHAR"), (Conversations, "STRUCT(\"from\" VARCHAR, \"value\" VARCHAR)[]"), ("problem", "VARCHAR"),
        ("ground_truth_solution", "VARCHAR"), ("domain", "VARCHAR"), ("source", "VARCHAR"),
    ];

    public override bool Fits(ForeignRow row) => row.Has(Conversations) || row.Has("deepseek_reasoning");

    public override void Write(Utf8JsonWriter row, IReadOnlyList<PublishedTrace> traces)
    {
        var trace = traces[0].Trace;
        row.WriteString("system", trace.Problem.System ?? "");
        row.WriteStartArray(Conversations);
        ChatMessages.Write(row, "user", trace.Problem.Text, From, Value);
        ChatMessages.Write(row, "assistant", Spelled(trace.Reasoning, trace.Answer), From, Value);
        row.WriteEndArray();
        row.WriteString("problem", trace.Problem.Text);
        row.WriteString("ground_truth_solution", trace.Problem.ReferenceSolution is { } solution
            ? $"{solution}\n\n\\boxed{{{trace.Problem.ReferenceAnswer}}}" : trace.Problem.ReferenceAnswer);
        row.WriteString("domain", trace.Problem.Domain);
        row.WriteString("source", trace.Problem.Source);
    }

    public override IEnumerable<ImportedTrace> Read(ForeignRow row)
    {
        string? truth = row.OptionalText("ground_truth_solution");
        string? boxed = truth is null ? null : LastBoxed(truth);
        yield return Completion(row) with
        {
            System = row.OptionalText("system") is { Length: > 0 } system ? system : null,
            ReferenceAnswer = boxed ?? truth,
            ReferenceSolution = boxed is null ? null : truth,
            Domain = row.OptionalText("domain"),
            Source = row.OptionalText("source"),
        };
    }

    private static ImportedTrace Completion(ForeignRow row)
    {
        if (!row.Has(Conversations))
        {
            return new ImportedTrace(
                row.Text("problem"), row.Text("deepseek_reasoning").Trim(), row.OptionalText("deepseek_solution")?.Trim());
        }

        var messages = ChatMessages.Read(row.Required(Conversations), Conversations, From, Value);
        var (reasoning, answer) = ReasoningText.Split(messages.RequireAnswer(Conversations), Thought, Solution);
        return new ImportedTrace(messages.Question, reasoning, answer);
    }

    private static string Spelled(string reasoning, string? answer)
    {
        string thought = $"{Thought.Item1}\n\n{reasoning}";
        return answer is null ? thought : $"{thought}\n\n{Thought.Item2}\n\n{Solution.Open}\n\n{answer}\n\n{Solution.Close}";
    }

    /// <summary>The content of the last box whose braces are balanced; null when there is none.</summary>
    private static string? LastBoxed(string text)
    {
        const string Box = "\\boxed{";
        int start = text.LastIndexOf(Box, StringComparison.Ordinal);
        if (start < 0) return null;
        start += Box.Length;
        int depth = 1;
        for (int i = start; i < text.Length; i++)
        {
            if (text[i] == '{') depth++;
            else if (text[i] == '}' && --depth == 0) return text[start..i];
        }

        return null;
    }
}
