using System.Globalization;
using Distill.Generation;
using Microsoft.Extensions.AI;
using AIMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatMessage = Distill.Tokenization.ChatMessage;

namespace Distill.Teacher;

/// <summary>What a caller of <see cref="EngineChatClient"/> says, in the engine's words.</summary>
internal static class EngineChatOptions
{
    /// <summary>Instructions first; of an earlier reply its answer, not what was thought.</summary>
    /// <exception cref="NotSupportedException">A message is not text, or of a role that templates do not know.</exception>
    public static IReadOnlyList<ChatMessage> Messages(IEnumerable<AIMessage> messages, ChatOptions? options)
    {
        var read = messages.Select(Message);
        return [.. options?.Instructions is { Length: > 0 } instructions ? read.Prepend(ChatMessage.System(instructions)) : read];
    }

    /// <exception cref="NotSupportedException">An option that would change the reply and cannot be honoured.</exception>
    public static SamplingOptions Sampling(ChatOptions? options, SamplingOptions defaults)
    {
        if (options is null) return defaults;
        Refuse(options.FrequencyPenalty is not (null or 0), nameof(ChatOptions.FrequencyPenalty));
        Refuse(options.PresencePenalty is not (null or 0), nameof(ChatOptions.PresencePenalty));
        Refuse(options.ResponseFormat is not (null or ChatResponseFormatText), nameof(ChatOptions.ResponseFormat));
        Refuse(options.Tools is { Count: > 0 }, nameof(ChatOptions.Tools));
        Refuse(options.ConversationId is not null, nameof(ChatOptions.ConversationId));
        return defaults with
        {
            Temperature = options.Temperature is { } temperature ? Exactly(temperature) : defaults.Temperature,
            TopP = options.TopP is { } share ? Exactly(share) : defaults.TopP,
            TopK = options.TopK ?? defaults.TopK,
        };
    }

    // 0.7f is 0.699999988; the caller meant 0.7, and another interface says 0.7.
    private static double Exactly(float value) => double.Parse(value.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static ChatMessage Message(AIMessage message)
    {
        Refuse(message.Contents.Any(content => content is not (TextContent or TextReasoningContent or UsageContent)), "content that is not text");
        Refuse(message.Role != ChatRole.System && message.Role != ChatRole.User && message.Role != ChatRole.Assistant, $"the role '{message.Role}'");
        return new ChatMessage(message.Role.Value, message.Text);
    }

    private static void Refuse(bool given, string what)
    {
        if (given) throw new NotSupportedException($"A local model does not support {what}.");
    }
}
