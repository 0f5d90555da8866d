using System.Text.Json;
using Distill.Serving.Protocol;

namespace Distill.Serving.Requests;

/// <summary>A message of a request → role, content and reasoning, which is all that templates are given of it.</summary>
internal static class ChatMessageReader
{
    private static readonly string[] s_known = ["role", "content", "reasoning_content", "name", "refusal", "annotations", "audio", "tool_calls", "function_call"];

    /// <param name="path">For messages, e.g. <c>messages[2]</c>.</param>
    public static Dictionary<string, string> Read(JsonElement message, string path)
    {
        if (message.ValueKind != JsonValueKind.Object) throw ApiException.Invalid(path, $"'{path}' must be an object.");
        var unknown = message.EnumerateObject().FirstOrDefault(property => !s_known.Contains(property.Name));
        if (unknown.Value.ValueKind != JsonValueKind.Undefined)
            throw ApiException.Invalid($"{path}.{unknown.Name}", $"Unknown parameter '{path}.{unknown.Name}'.", "unknown_parameter");
        // What an earlier reply carried without a value may come back; what has one would be lost.
        foreach (string name in s_known[4..])
        {
            if (message.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
                && !(value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0))
                throw ApiException.Invalid($"{path}.{name}", $"'{path}.{name}' is not supported.", "unsupported_parameter");
        }

        string role = Text(message, "role", path) ?? "";
        if (role is not ("system" or "developer" or "user" or "assistant"))
            throw ApiException.Invalid($"{path}.role", $"'{path}.role' must be system, developer, user or assistant.");
        var read = new Dictionary<string, string>
        {
            ["role"] = role == "developer" ? "system" : role, // the newer name, which templates do not know
            ["content"] = Content(message, path),
        };
        if (Text(message, "reasoning_content", path) is { } reasoning) read["reasoning_content"] = reasoning;
        return read;
    }

    /// <summary>A text, or parts of type text, joined.</summary>
    private static string Content(JsonElement message, string path)
    {
        if (!message.TryGetProperty("content", out var content) || content.ValueKind is JsonValueKind.String) return Text(message, "content", path)
            ?? throw ApiException.Invalid($"{path}.content", $"'{path}.content' is missing.");
        if (content.ValueKind != JsonValueKind.Array) throw ApiException.Invalid($"{path}.content", $"'{path}.content' must be a text or parts of type text.");
        return string.Concat(content.EnumerateArray().Select(part => part.ValueKind == JsonValueKind.Object
            && part.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.GetString() == "text" ? Text(part, "text", $"{path}.content")
            : throw ApiException.Invalid($"{path}.content", $"'{path}.content' must be a text or parts of type text.")));
    }

    private static string? Text(JsonElement from, string name, string path)
    {
        if (!from.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw ApiException.Invalid($"{path}.{name}", $"'{path}.{name}' must be a string.");
    }
}
