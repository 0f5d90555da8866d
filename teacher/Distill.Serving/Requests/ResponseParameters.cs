using System.Text.Json;

namespace Distill.Serving.Requests;

/// <summary>What <c>/v1/responses</c> is asked: a reply, and what the response says again of how it was asked.</summary>
/// <param name="Format">As it was given; null for text.</param>
/// <param name="ToolChoice">As it was given; null for auto.</param>
internal sealed record ResponseParameters(
    ChatParameters Chat, string? Instructions, JsonElement? Format, JsonElement? Tools, JsonElement? ToolChoice, JsonElement? Metadata)
{
    private const string LogProbabilities = "message.output_text.logprobs";

    private const string NothingStored = "is not supported: this server stores nothing; send the whole conversation as 'input'";

    public static ResponseParameters Read(RequestParameters parameters, ChatPrompt prompts)
    {
        var settings = GenerationSettings.Read(parameters) with { StopsInReasoning = parameters.Flag("stop_in_reasoning") };
        if (settings.Count > 1) throw parameters.Invalid("n", "must be 1: a response has one reply");
        int? maxTokens = parameters.Integer("max_output_tokens", 1, int.MaxValue);
        RefuseUnsupported(parameters);
        var (format, given) = FormatOf(parameters);
        var tools = ToolParameters.Read(parameters, nested: false);
        string? instructions = parameters.Text("instructions");
        var messages = ResponseInputReader.Read(parameters, instructions);
        var switches = ChatPrompt.SwitchesOf(parameters);
        var raw = (parameters.Raw("tools"), parameters.Raw("tool_choice"), parameters.Raw("metadata"));
        parameters.RefuseOthers();
        int[] prompt = prompts.Render(messages, tools, switches, addGenerationPrompt: true, "input");
        var chat = new ChatParameters(settings, prompt, maxTokens, null, tools, format);
        return new ResponseParameters(chat, instructions, given, raw.Item1, raw.Item2, raw.Item3);
    }

    private static (OutputFormat? Format, JsonElement? Given) FormatOf(RequestParameters parameters)
    {
        const string name = "text";
        var text = parameters.Inside(name);
        text?.Ignore([.. AcceptedFields.Inside(name)]);
        var format = OutputFormat.Read(text?.Inside("format"), "text.format", nested: false);
        text?.RefuseOthers();
        return (format, text?.Raw("format"));
    }

    private static void RefuseUnsupported(RequestParameters parameters)
    {
        const string reasoning = "reasoning";
        parameters.Ignore("max_tool_calls");
        parameters.OnlyNeutral(
            "include", value => !AsksLogProbabilities(value), $"asks for {LogProbabilities}; /v1/chat/completions has them");
        var inside = parameters.Inside(reasoning);
        inside?.Ignore([.. AcceptedFields.Inside(reasoning)]);
        inside?.RefuseOthers();
        parameters.OnlyNeutral("previous_response_id", _ => false, NothingStored);
        parameters.OnlyNeutral("conversation", _ => false, NothingStored);
        parameters.OnlyNeutral("background", value => value.ValueKind == JsonValueKind.False, NothingStored);
        parameters.OnlyNeutral("truncation", value => value.ValueKind == JsonValueKind.String && value.GetString() == "disabled");
        parameters.OnlyNeutral("top_logprobs", value => value.ValueKind == JsonValueKind.Number && value.GetDouble() == 0);
    }

    private static bool AsksLogProbabilities(JsonElement include) => include.ValueKind == JsonValueKind.Array
        && include.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.String && item.GetString() == LogProbabilities);
}
