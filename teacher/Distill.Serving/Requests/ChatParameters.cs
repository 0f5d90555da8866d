using System.Text.Json;
using Distill.Serving.Protocol;

namespace Distill.Serving.Requests;

/// <summary>A reply that is asked for, by <c>/v1/chat/completions</c> or <c>/v1/responses</c>.</summary>
/// <param name="MaxTokens">Null: as many as fit.</param>
/// <param name="Top">Alternatives to report at each token; null reports nothing of tokens.</param>
/// <param name="Format">What form the answer must have; null for any.</param>
internal sealed record ChatParameters(
    GenerationSettings Settings, int[] Prompt, int? MaxTokens, int? Top, ToolParameters Tools, OutputFormat? Format)
{
    private const int MostTop = 20;
    private const string Messages = "messages";

    /// <summary>What <c>/v1/chat/completions</c> is asked.</summary>
    public static ChatParameters Read(RequestParameters parameters, ChatPrompt prompts)
    {
        parameters.Ignore(AcceptedFields.Chat);
        var settings = GenerationSettings.Read(parameters) with { StopsInReasoning = parameters.Flag("stop_in_reasoning") };
        int? older = parameters.Integer("max_tokens", 1, int.MaxValue),
            newer = parameters.Integer("max_completion_tokens", 1, int.MaxValue);
        bool reports = parameters.Flag("logprobs");
        int? top = parameters.Integer("top_logprobs", 0, MostTop);
        if (top > 0 && !reports) throw ApiException.Invalid("top_logprobs", "'top_logprobs' needs 'logprobs': true.");
        RefuseUnsupported(parameters);
        var tools = ToolParameters.Read(parameters, nested: true);
        var format = OutputFormat.Read(parameters.Inside("response_format"), "response_format", nested: true);
        var switches = ChatPrompt.SwitchesOf(parameters);
        bool answers = parameters.Flag("add_generation_prompt", otherwise: true);
        var messages = MessagesOf(parameters);
        parameters.RefuseOthers();
        int[] prompt = prompts.Render(messages, tools, switches, answers, Messages);
        return new ChatParameters(settings, prompt, newer ?? older, reports ? top ?? 0 : null, tools, format);
    }

    private static void RefuseUnsupported(RequestParameters parameters)
    {
        parameters.OnlyNeutral(
            "functions", value => value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0, "is not supported; use 'tools'");
        parameters.OnlyNeutral(
            "function_call", value => value.ValueKind == JsonValueKind.String && value.GetString() is "none" or "auto",
            "is not supported; use 'tool_choice'");
        parameters.OnlyNeutral("modalities", value => value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String && item.GetString() == "text"));
    }

    private static List<Dictionary<string, object>> MessagesOf(RequestParameters parameters)
    {
        var value = parameters.Required(Messages);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
            throw parameters.Invalid(Messages, "must be an array of at least one message");
        return [.. value.EnumerateArray().Select((message, index) => ChatMessageReader.Read(message, $"{Messages}[{index}]"))];
    }
}
