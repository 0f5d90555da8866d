using System.Text;
using System.Text.Json;
using Distill.Serving.Http;
using Distill.Serving.Protocol;
using Distill.Tokenization;

namespace Distill.Serving.Requests;

/// <summary>
/// The messages of a request as templates are given them: role and content, and where a message has them its reasoning, its calls, or the
/// call that it is the result of.
/// </summary>
internal static class ChatMessageReader
{
    // Messages put five levels more around arguments, and what writes them for a template goes 64 deep.
    private static readonly JsonDocumentOptions s_arguments = new() { MaxDepth = 48 };

    private static readonly string[] s_roles = ["system", "developer", "user", "assistant", "tool"];

    /// <param name="path">For messages, e.g. <c>messages[2]</c>.</param>
    public static Dictionary<string, object> Read(JsonElement message, string path)
    {
        var fields = RequestParameters.Of(message, path);
        fields.Ignore(AcceptedFields.Message);
        // What an earlier reply carried without a value may come back; what has one would be lost.
        foreach (string name in AcceptedFields.EmptyOfMessage) fields.OnlyNeutral(name, IsEmpty, "is not supported");
        string role = fields.Text("role") ?? "";
        if (!s_roles.Contains(role)) throw fields.Invalid("role", $"must be one of {string.Join(", ", s_roles)}");
        var calls = role == "assistant" ? CallsOf(fields, $"{path}.tool_calls") : [];
        var read = new Dictionary<string, object>
        {
            ["role"] = role == "developer" ? "system" : role, // the newer name, which templates do not know
            ["content"] = ContentOf(fields, path, calls.Count > 0 ? "" : null),
        };
        if (calls.Count > 0) read["tool_calls"] = calls;
        if (fields.Text("reasoning_content") is { } reasoning) read["reasoning_content"] = reasoning;
        if (role == "tool")
        {
            read["tool_call_id"] = fields.RequiredText("tool_call_id");
            if (fields.Text("name") is { } name) read["name"] = name;
        }

        fields.RefuseOthers();
        return read;
    }

    /// <summary>A call as templates expect it, which write the arguments as JSON: as an object where they are one.</summary>
    public static ToolCall Call(string? id, string name, string arguments) => new(id ?? "", name, ArgumentsOf(arguments));

    /// <summary>A text, or parts of type text, joined.</summary>
    /// <param name="types">What parts of text call themselves.</param>
    public static string TextOf(JsonElement content, string path, params ReadOnlySpan<string> types)
    {
        if (content.ValueKind == JsonValueKind.String) return content.GetString()!;
        if (content.ValueKind != JsonValueKind.Array) throw NoText(path, types);
        var text = new StringBuilder();
        foreach (var part in content.EnumerateArray())
        {
            if (part.ValueKind != JsonValueKind.Object || !part.TryGetProperty("type", out var type)
                || type.ValueKind != JsonValueKind.String || !types.Contains(type.GetString()!)
                || !part.TryGetProperty("text", out var own) || own.ValueKind != JsonValueKind.String)
                throw NoText(path, types);
            text.Append(own.GetString());
        }

        return text.ToString();
    }

    private static string ContentOf(RequestParameters fields, string path, string? otherwise) =>
        fields.Raw("content") is { } content ? TextOf(content, $"{path}.content", "text")
        : otherwise ?? throw ApiException.Invalid($"{path}.content", $"'{path}.content' is missing.");

    private static List<ToolCall> CallsOf(RequestParameters fields, string path)
    {
        if (fields.Raw("tool_calls") is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array) throw ApiException.Invalid(path, $"'{path}' must be an array.");
        return [.. value.EnumerateArray().Select((item, index) =>
        {
            var call = RequestParameters.Of(item, $"{path}[{index}]");
            call.Ignore("index");
            call.OnlyNeutral("type", type => type.ValueKind == JsonValueKind.String && type.GetString() == "function", "must be function");
            var function = call.Inside("function") ?? throw call.Invalid("function", "is missing");
            string name = function.RequiredText("name"), arguments = function.Text("arguments") ?? "{}";
            var read = Call(call.Text("id"), name, arguments);
            function.RefuseOthers();
            call.RefuseOthers();
            return read;
        })];
    }

    // A model may have written arguments that are no JSON, say something twice or hold half a character. The client got them from here and
    // sends them back: they are told as the text that they are.
    private static JsonElement ArgumentsOf(string arguments)
    {
        try
        {
            using var document = JsonDocument.Parse(arguments, s_arguments);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return JsonSerializer.SerializeToElement(arguments);
            BodyText.Require(document.RootElement);
            return document.RootElement.Clone();
        }
        catch (Exception fault) when (fault is JsonException or ApiException)
        {
            return JsonSerializer.SerializeToElement(arguments);
        }
    }

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.String => value.GetString()!.Length == 0,
        _ => false,
    };

    private static ApiException NoText(string path, ReadOnlySpan<string> types) =>
        ApiException.Invalid(path, $"'{path}' must be a text or parts of type {string.Join(" or ", types.ToArray())}.");
}
