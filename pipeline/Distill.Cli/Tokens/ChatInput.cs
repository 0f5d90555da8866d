using System.Text.Json;

namespace Distill.Cli.Tokens;

/// <summary>
/// A chat as a template takes it: a JSON array of messages, an object with <c>messages</c> and whatever else the template knows, or
/// plain text, which is one message of the user.
/// </summary>
internal static class ChatInput
{
    public const string GenerationPrompt = "add_generation_prompt";
    private const string Messages = "messages";

    /// <summary>The template's variables.</summary>
    /// <exception cref="InvalidDataException">JSON, but not a chat.</exception>
    public static IReadOnlyDictionary<string, JsonElement> Parse(string text)
    {
        string start = text.TrimStart();
        if (!start.StartsWith('[') && !start.StartsWith('{')) return OfMessages(JsonSerializer.SerializeToElement(
            new[] { new { role = "user", content = text.TrimEnd('\r', '\n') } }));
        JsonElement root;
        try
        {
            root = JsonDocument.Parse(text).RootElement;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The chat is not JSON: {e.Message}", e);
        }

        if (root.ValueKind == JsonValueKind.Array) return OfMessages(Checked(root));
        if (!root.TryGetProperty(Messages, out var messages)) throw new InvalidDataException("The chat has no 'messages'.");
        Checked(messages);
        return root.EnumerateObject().GroupBy(property => property.Name).ToDictionary(group => group.Key, group => group.Last().Value);
    }

    private static Dictionary<string, JsonElement> OfMessages(JsonElement messages) => new() { [Messages] = messages };

    private static JsonElement Checked(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array) throw new InvalidDataException("'messages' is not an array of {role, content}.");
        int number = 0;
        foreach (var message in messages.EnumerateArray())
        {
            number++;
            if (message.ValueKind != JsonValueKind.Object || !message.TryGetProperty("role", out var role) || role.ValueKind != JsonValueKind.String)
                throw new InvalidDataException($"Message {number} is not an object with a 'role'.");
        }

        return messages;
    }
}
