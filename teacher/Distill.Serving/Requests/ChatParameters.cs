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
        int? older = parameters.Integer("max_tokens", 1, int.MaxValue), newer = parameters.Integer("max_completion_tokens", 1, int.MaxValue);
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
        return JsonSerializer.SerializeToElement(value.EnumerateArray().Select((message, index) => ChatMessageReader.Read(message, $"{Messages}[{index}]")));
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
