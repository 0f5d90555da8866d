using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Endpoint;

/// <summary>Messages and options → the body of a chat completion request, as nearly every server understands it.</summary>
internal static class ChatRequestJson
{
    // Servers read seeds into integers of very different widths; 31 bits fit all of them.
    private const long SeedMask = 0x7FFF_FFFF;

    /// <exception cref="NotSupportedException">The options ask for what this client does not send.</exception>
    public static byte[] Write(EndpointOptions endpoint, IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        if (options is { Tools.Count: > 0 } or { ResponseFormat: not null and not ChatResponseFormatText })
            throw new NotSupportedException("Tools and response formats are not sent to teachers.");
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model", options?.ModelId ?? endpoint.Model);
            WriteMessages(json, messages);
            if (options is not null) WriteOptions(json, endpoint, options);
            if (endpoint.TokenAlternatives is { } alternatives) WriteTokens(json, alternatives);
            if (endpoint.Streams)
            {
                json.WriteBoolean("stream", true);
                json.WriteStartObject("stream_options");
                json.WriteBoolean("include_usage", true);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    // The server puts the sampled token first and cuts the list after it, so of k asked for there may be only the k - 1 most probable.
    private static void WriteTokens(Utf8JsonWriter json, int alternatives)
    {
        json.WriteBoolean("logprobs", true);
        json.WriteNumber("top_logprobs", alternatives == 0 ? 0 : alternatives + 1);
        json.WriteBoolean("return_token_ids", true);
        json.WriteBoolean("return_tokens_as_token_ids", true);
    }

    private static void WriteMessages(Utf8JsonWriter json, IEnumerable<ChatMessage> messages)
    {
        json.WriteStartArray("messages");
        foreach (var message in messages)
        {
            json.WriteStartObject();
            json.WriteString("role", message.Role.Value);
            json.WriteString("content", message.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    // What is not given is left to the server.
    private static void WriteOptions(Utf8JsonWriter json, EndpointOptions endpoint, ChatOptions options)
    {
        if (options.MaxOutputTokens is { } limit)
            json.WriteNumber(endpoint.TokenLimit == TokenLimitName.MaxTokens ? "max_tokens" : "max_completion_tokens", limit);
        if (options.Temperature is { } temperature) json.WriteNumber("temperature", temperature);
        if (options.TopP is { } topP) json.WriteNumber("top_p", topP);
        if (options.FrequencyPenalty is { } frequency) json.WriteNumber("frequency_penalty", frequency);
        if (options.PresencePenalty is { } presence) json.WriteNumber("presence_penalty", presence);
        if (options.Seed is { } seed) json.WriteNumber("seed", seed & SeedMask);
        if (options.StopSequences is not { Count: > 0 } stops) return;
        json.WriteStartArray("stop");
        foreach (string stop in stops) json.WriteStringValue(stop);
        json.WriteEndArray();
    }
}

/// <summary>Strings out of JSON that strangers wrote.</summary>
internal static class JsonText
{
    /// <summary>
    /// The text of a string. One that spells half a surrogate pair is no text and becomes the replacement character: it is data, not a
    /// fault.
    /// </summary>
    public static string Of(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return "\uFFFD";
        }
    }
}
