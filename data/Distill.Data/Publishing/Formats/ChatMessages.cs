using System.Text.Json;
using Distill.Storage;

namespace Distill.Data.Publishing.Formats;

/// <summary>
/// A conversation of one question and one answer, as a list of <c>{role, content}</c> (or <c>{from, value}</c>, where the names say so).
/// </summary>
/// <param name="System">Null when there is none.</param>
/// <param name="Answer">Null when the list ends with the question.</param>
internal sealed record ChatMessages(string? System, string Question, string? Answer)
{
    private static readonly string[] Users = ["user", "human"], Assistants = ["assistant", "gpt", "model"];

    /// <param name="value">The list.</param>
    /// <param name="name">Its column, for messages.</param>
    /// <exception cref="FormatException">No such list, or with other turns than a system message, one question, one answer.</exception>
    public static ChatMessages Read(JsonElement value, string name, string role = "role", string content = "content")
    {
        if (value.ValueKind != JsonValueKind.Array)
            throw new FormatException($"'{name}' is a {value.ValueKind}, a list of messages is expected.");
        string? system = null, question = null, answer = null;
        foreach (var item in value.EnumerateArray())
        {
            var message = new ForeignRow(item, name);
            string who = message.Text(role), what = message.Text(content);
            if (who == "system" && system is null && question is null) system = what;
            else if (Users.Contains(who) && question is null) question = what;
            else if (Assistants.Contains(who) && question is not null && answer is null) answer = what;
            else throw new FormatException(
                $"'{name}' has another turn of {Printable.Quote(who)}; only conversations of one question and one answer are read.");
        }

        return new ChatMessages(system, question ?? throw new FormatException($"'{name}' has no message of the user."), answer);
    }

    /// <exception cref="FormatException">There is no answer.</exception>
    public string RequireAnswer(string name) => Answer ?? throw new FormatException($"'{name}' has no message of the assistant.");

    /// <summary>The part before the answer.</summary>
    public static void WritePrompt(Utf8JsonWriter row, string? system, string question)
    {
        if (system is not null) Write(row, "system", system);
        Write(row, "user", question);
    }

    public static void Write(Utf8JsonWriter row, string who, string what, string role = "role", string content = "content")
    {
        row.WriteStartObject();
        row.WriteString(role, who);
        row.WriteString(content, what);
        row.WriteEndObject();
    }
}
