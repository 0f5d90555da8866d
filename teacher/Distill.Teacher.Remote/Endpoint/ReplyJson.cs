using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>
/// One JSON object of an answer → what it says: a whole completion, or a piece of a streamed one. Reads what servers have in common and
/// passes over the rest; any finish reason and any content is taken as it is.
/// </summary>
internal static class ReplyJson
{
    private static readonly JsonDocumentOptions Bounds = new() { MaxDepth = 32 };

    /// <param name="key">What an error must not repeat.</param>
    /// <exception cref="RemoteTeacherException">Not an object of a chat completion, or an error sent in its place.</exception>
    public static ReplyChunk Read(ReadOnlyMemory<byte> json, ApiKey? key)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Bounds);
            return Read(document.RootElement, key);
        }
        catch (JsonException fault)
        {
            // The parser's message says where; its inner exceptions may quote the text and stay out.
            throw new RemoteTeacherException(
                RemoteFaultKind.Damaged, $"The endpoint's answer is not JSON (line {fault.LineNumber}, byte {fault.BytePositionInLine}).");
        }
    }

    private static ReplyChunk Read(JsonElement root, ApiKey? key)
    {
        if (root.ValueKind != JsonValueKind.Object) throw Damaged("is not a JSON object");
        if (EndpointError.Find(root) is { } error) throw error.InAnswer(key);
        if (Get(root, "choices") is not { ValueKind: JsonValueKind.Array } choices) throw Damaged("has no 'choices'");
        var usage = Usage(root);
        if (choices.GetArrayLength() == 0) return new ReplyChunk("", "", null, usage);
        var choice = choices[0];
        var message = Get(choice, "delta") ?? Get(choice, "message");
        string reasoning = Text(message, "reasoning_content");
        return new ReplyChunk(
            // the newer name of vLLM and OpenRouter; parts as Mistral sends them
            reasoning.Length > 0 ? reasoning : Text(message, "reasoning") + Thinking(message),
            Text(message, "content") + Parts(message),
            Get(choice, "finish_reason") is { ValueKind: JsonValueKind.String } reason
                ? new ChatFinishReason(NonEmpty(JsonText.Of(reason)))
                : null,
            usage)
        {
            Refusal = Text(message, "refusal") + Join(message, "refusal", part => Text(part, "refusal")),
            ToolCall = ToolCall(message),
            Tokens = TokenJson.Read(choice),
        };
    }

    // Of several the first: that there is one is what matters.
    private static ReplyToolCall? ToolCall(JsonElement? message)
    {
        var function = Get(message, "tool_calls") is { ValueKind: JsonValueKind.Array } calls && calls.GetArrayLength() > 0
            ? Get(calls[0], "function")
            : Get(message, "function_call");
        return function is { ValueKind: JsonValueKind.Object }
            ? new ReplyToolCall(Text(function, "name"), Text(function, "arguments"))
            : null;
    }

    private static UsageDetails? Usage(JsonElement root)
    {
        if (Get(root, "usage") is not { ValueKind: JsonValueKind.Object } usage) return null;
        return new UsageDetails
        {
            InputTokenCount = Count(usage, "prompt_tokens"),
            OutputTokenCount = Count(usage, "completion_tokens"),
            ReasoningTokenCount = Get(usage, "completion_tokens_details") is { } details ? Count(details, "reasoning_tokens") : null,
        };
    }

    private static string Parts(JsonElement? message) => Join(message, "text", part => Text(part, "text"));

    private static string Thinking(JsonElement? message) =>
        Join(
            message, "thinking",
            part =>
                Get(part, "thinking") is { ValueKind: JsonValueKind.Array } inner
                    ? string.Concat(inner.EnumerateArray().Select(text => Text(text, "text")))
                    : "");

    private static string Join(JsonElement? message, string type, Func<JsonElement, string> text) =>
        Get(message, "content") is { ValueKind: JsonValueKind.Array } parts
            ? string.Concat(parts.EnumerateArray().Where(part => Text(part, "type") == type).Select(text))
            : "";

    private static JsonElement? Get(JsonElement? owner, string name) =>
        owner is { ValueKind: JsonValueKind.Object } element && element.TryGetProperty(name, out var value) ? value : null;

    private static string Text(JsonElement? owner, string name) =>
        Get(owner, name) is { ValueKind: JsonValueKind.String } value ? JsonText.Of(value) : "";

    private static long? Count(JsonElement owner, string name) =>
        Get(owner, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out long count)
            && count is >= 0 and <= int.MaxValue
            ? count
            : null;

    private static string NonEmpty(string reason) => reason.Length > 0 ? reason : "other";

    private static RemoteTeacherException Damaged(string what) =>
        new(RemoteFaultKind.Damaged, $"The endpoint's answer {what}: is it an OpenAI-compatible endpoint?");
}
