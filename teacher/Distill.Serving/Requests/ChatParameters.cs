using System.Text.Json;
using Distill.Serving.Protocol;
using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Serving.Requests;

/// <summary>What <c>/v1/chat/completions</c> is asked.</summary>
/// <param name="Top">Alternatives to report at each token; null reports nothing of tokens.</param>
/// <param name="MaxTokens">Null: as many as fit.</param>
internal sealed record ChatParameters(GenerationSettings Settings, int[] Prompt, int? MaxTokens, int? Top)
{
    private const int MostTop = 20;
    private const string Messages = "messages";

    public static ChatParameters Read(RequestParameters parameters, ChatEncoder encoder)
    {
        var settings = GenerationSettings.Read(parameters);
        int? older = parameters.Integer("max_tokens", 1, int.MaxValue),
            newer = parameters.Integer("max_completion_tokens", 1, int.MaxValue);
        bool reports = parameters.Flag("logprobs");
        int? top = parameters.Integer("top_logprobs", 0, MostTop);
        if (top > 0 && !reports) throw ApiException.Invalid("top_logprobs", "'top_logprobs' needs 'logprobs': true.");
        RefuseUnsupported(parameters);
        var variables = VariablesOf(parameters);
        parameters.RefuseOthers();
        return new ChatParameters(settings, Render(encoder, variables), newer ?? older, reports ? top ?? 0 : null);
    }

    private static void RefuseUnsupported(RequestParameters parameters)
    {
        parameters.Ignore("parallel_tool_calls");
        parameters.OnlyNeutral("tools", IsEmpty);
        parameters.OnlyNeutral("functions", IsEmpty);
        parameters.OnlyNeutral("tool_choice", value => value.ValueKind == JsonValueKind.String && value.GetString() is "none" or "auto");
        parameters.OnlyNeutral("response_format", value => value.ValueKind == JsonValueKind.Object
            && value.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.GetString() == "text");
        parameters.OnlyNeutral("modalities", value => value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String && item.GetString() == "text"));
    }

    private static bool IsEmpty(JsonElement value) => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0;

    private static Dictionary<string, JsonElement> VariablesOf(RequestParameters parameters)
    {
        const string more = "chat_template_kwargs";
        var variables = new Dictionary<string, JsonElement>();
        if (parameters.Raw(more) is { } given)
        {
            if (given.ValueKind != JsonValueKind.Object) throw ApiException.Invalid(more, $"'{more}' must be an object.");
            // Only switches: a text among the template's variables could say control tokens.
            foreach (var property in given.EnumerateObject())
            {
                if (property.Value.ValueKind is not (JsonValueKind.True or JsonValueKind.False or JsonValueKind.Number))
                    throw ApiException.Invalid(more, $"'{more}.{property.Name}' must be true, false or a number.");
                variables[property.Name] = property.Value;
            }
        }

        variables["add_generation_prompt"] = JsonSerializer.SerializeToElement(parameters.Flag("add_generation_prompt", otherwise: true));
        variables[Messages] = MessagesOf(parameters.Required(Messages));
        return variables;
    }

    /// <summary>The messages with their content as one text each.</summary>
    private static JsonElement MessagesOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
            throw ApiException.Invalid(Messages, $"'{Messages}' must be an array of at least one message.");
        return JsonSerializer.SerializeToElement(
            value.EnumerateArray().Select((message, index) => ChatMessageReader.Read(message, $"{Messages}[{index}]")));
    }

    private static int[] Render(ChatEncoder encoder, Dictionary<string, JsonElement> variables)
    {
        try
        {
            return encoder.Encode(variables);
        }
        catch (TemplateException e)
        {
            throw ApiException.Invalid(Messages, $"The model's chat template refuses these messages: {e.Message}");
        }
    }
}

/// <summary>A message of a request → role, content and reasoning, which is all that templates are given of it.</summary>
internal static class ChatMessageReader
{
    private static readonly string[] s_known =
    [
        "role", "content", "reasoning_content", "name", "refusal", "annotations", "audio", "tool_calls", "function_call",
    ];

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
        if (!message.TryGetProperty("content", out var content) || content.ValueKind is JsonValueKind.String)
            return Text(message, "content", path)
            ?? throw ApiException.Invalid($"{path}.content", $"'{path}.content' is missing.");
        if (content.ValueKind != JsonValueKind.Array)
            throw ApiException.Invalid($"{path}.content", $"'{path}.content' must be a text or parts of type text.");
        return string.Concat(content.EnumerateArray().Select(part => part.ValueKind == JsonValueKind.Object
            && part.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
                && type.GetString() == "text" ? Text(part, "text", $"{path}.content")
            : throw ApiException.Invalid($"{path}.content", $"'{path}.content' must be a text or parts of type text.")));
    }

    private static string? Text(JsonElement from, string name, string path)
    {
        if (!from.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        return value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : throw ApiException.Invalid($"{path}.{name}", $"'{path}.{name}' must be a string.");
    }
}
