using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Calls;

/// <summary>Tokens of requests, before and after.</summary>
public static class TokenUse
{
    // What chat templates put around a message; generous.
    private const int TokensPerMessage = 16;

    /// <summary>
    /// More tokens than a request will take: as many as its prompt has UTF-8 bytes (no tokenizer in use makes more than one of a byte), and the
    /// longest completion.
    /// </summary>
    public static long AtMost(IEnumerable<ChatMessage> messages, ChatOptions? options) =>
        messages.Sum(message => PromptAtMost(message.Text)) + (options?.MaxOutputTokens ?? 0);

    /// <inheritdoc cref="AtMost"/>
    public static long PromptAtMost(string text) => System.Text.Encoding.UTF8.GetByteCount(text) + TokensPerMessage;

    /// <summary>What a request took; null where the endpoint does not say.</summary>
    public static long? Of(UsageDetails usage) =>
        usage.InputTokenCount is null && usage.OutputTokenCount is null ? null : (usage.InputTokenCount ?? 0) + (usage.OutputTokenCount ?? 0);
}
