using System.Text;
using System.Text.Json;
using Distill.Storage;

namespace Distill.Data.Sources.Formats;

/// <summary>
/// A chat: at most one system message, one question, and perhaps a reply that says the answer. A longer chat cannot be asked as one
/// question and is a bad row.
/// </summary>
internal sealed class MessagesFormat : IProblemFormat
{
    public string Name => "messages";

    public string Description => "a chat of one question and its reply, which says the answer if no column does";

    public ColumnMapping Columns => ColumnMapping.None;

    public bool Fits(RowValues row) => row.Find("messages") is { ValueKind: JsonValueKind.Array };

    public ProblemDraft Read(RowValues row, ColumnMapping columns)
    {
        var chat = Chat.Read(row, columns.Question?.ToString());
        string? answer = columns.Answer is null ? row.FirstText("answer", "final_answer", "expected_answer") : columns.Answer.Read(row);
        if (answer is not { Length: > 0 } && chat.Reply is { } reply)
        {
            answer = MarkedAnswer.Of(reply) ?? throw new FormatException(
                @"the reply says no answer after #### or in \boxed{}, and no column holds one; name it by 'answer'");
        }

        var draft = ColumnsFormat.Draft(row, columns, chat.Question, answer);
        return draft with { Solution = draft.Solution ?? chat.Solution, System = draft.System ?? chat.System };
    }

    public string Question(RowValues row, ColumnMapping columns) => Chat.Read(row, columns.Question?.ToString()).Question;
}

/// <summary>A chat as a data set writes it: <c>role</c> and <c>content</c>, or <c>from</c> and <c>value</c>.</summary>
internal sealed record Chat(string? System, string Question, string? Reply)
{
    private const int MostMessages = 1000;

    /// <summary>The reply, where it is more than the answer.</summary>
    public string? Solution => Reply is { } reply && MarkedAnswer.Of(reply) != reply.Trim() ? reply : null;

    /// <exception cref="FormatException">There is no such chat.</exception>
    public static Chat Read(RowValues row, string? column)
    {
        string name = column ?? (row.Find("messages") is null && row.Find("conversations") is not null ? "conversations" : "messages");
        if (row.Find(name) is not { ValueKind: JsonValueKind.Array } list) throw new FormatException($"'{name}' is no list of messages");
        if (list.GetArrayLength() > MostMessages) throw new FormatException($"a chat of {list.GetArrayLength():N0} messages");
        var said = list.EnumerateArray().Select(message => Message(message, name)).ToList();
        var questions = said.Where(message => message.Role == "user").ToList();
        if (questions.Count == 0) throw new FormatException("the chat has no message of the user");
        if (questions.Count > 1)
            throw new FormatException($"a chat of {questions.Count} questions, which cannot be asked as one");
        int at = said.IndexOf(questions[0]);
        if (said.FindIndex(message => message.Role is not ("system" or "user" or "assistant")) is var other and >= 0)
            throw new FormatException($"a message of the role {Printable.Quote(said[other].Role)}, which cannot be asked");
        if (said.Take(at).Count(message => message.Role == "system") != at || said.Skip(at + 1).Any(message => message.Role == "system"))
            throw new FormatException("the chat does not begin with the question");
        if (at > 1) throw new FormatException($"{at} system messages; one can be kept");
        var replies = said.Skip(at + 1).ToList();
        if (replies.Count > 1) throw new FormatException($"{replies.Count} replies to one question");
        if (questions[0].Content.Length == 0) throw new FormatException("the question is empty");
        return new Chat(at == 1 ? said[0].Content : null, questions[0].Content, replies.Count == 1 ? replies[0].Content : null);
    }

    private static (string Role, string Content) Message(JsonElement message, string name)
    {
        if (message.ValueKind != JsonValueKind.Object) throw new FormatException($"'{name}' holds what is no message");
        var values = new RowValues(message);
        string role = values.FirstText("role", "from") ?? throw new FormatException($"a message of '{name}' has no role");
        return (role switch { "human" => "user", "gpt" or "model" => "assistant", _ => role }, ContentOf(values, name));
    }

    // A text, or parts of which the texts count.
    private static string ContentOf(RowValues message, string name)
    {
        string key = message.Find("content") is null ? "value" : "content";
        if (message.Find(key) is not { } content) return "";
        if (content.ValueKind != JsonValueKind.Array) return RowValues.TextOf(content, $"{name}.{key}");
        var text = new StringBuilder();
        foreach (var part in content.EnumerateArray())
        {
            var values = new RowValues(part.ValueKind == JsonValueKind.Object ? part
                : throw new FormatException("a part of a message is no object"));
            if (values.Text("type") is "text" or null) text.Append(values.Text("text"));
            else throw new FormatException($"a message holds {Printable.Quote(values.Text("type")!)}; only text can be asked");
        }

        return text.ToString();
    }
}
