using Microsoft.Extensions.AI;

namespace Distill.Teacher.Remote.Calls;

/// <summary>Counts requests, attempts and tokens. Thread-safe.</summary>
internal sealed class UsageMeter
{
    private readonly Lock gate = new();
    private RemoteUsage usage = RemoteUsage.None;

    public RemoteUsage Usage
    {
        get
        {
            lock (gate) return usage;
        }
    }

    public void CountRequest() => Change(now => now with { Requests = now.Requests + 1 });

    public void CountAttempt() => Change(now => now with { Attempts = now.Attempts + 1 });

    public void CountAnswer(UsageDetails? details) => Change(now => details is null || TokenUse.Of(details) is null
        ? now with { Uncounted = now.Uncounted + 1 }
        : now with
        {
            PromptTokens = now.PromptTokens + (details.InputTokenCount ?? 0),
            CompletionTokens = now.CompletionTokens + (details.OutputTokenCount ?? 0),
            ReasoningTokens = now.ReasoningTokens + (details.ReasoningTokenCount ?? 0),
        });

    private void Change(Func<RemoteUsage, RemoteUsage> change)
    {
        lock (gate) usage = change(usage);
    }
}

/// <summary>What was asked and answered so far.</summary>
/// <param name="Requests">Completions asked for.</param>
/// <param name="Attempts">Requests sent, repeated and hedged ones included.</param>
/// <param name="PromptTokens">As the endpoint counted them.</param>
/// <param name="CompletionTokens">Reasoning included.</param>
/// <param name="ReasoningTokens">Where the endpoint says; 0 where it does not.</param>
/// <param name="Uncounted">Answers whose tokens the endpoint did not state: they are missing in the sums and the cost.</param>
internal sealed record RemoteUsage(
    long Requests, long Attempts, long PromptTokens, long CompletionTokens, long ReasoningTokens, long Uncounted)
{
    public static RemoteUsage None { get; } = new(0, 0, 0, 0, 0, 0);
}

/// <summary>Tokens of requests, before and after.</summary>
internal static class TokenUse
{
    // What chat templates put around a message; generous.
    private const int TokensPerMessage = 16;

    /// <summary>
    /// More tokens than a request will take: as many as its prompt has UTF-8 bytes (no tokenizer in use makes more than one of a byte), and
    /// the longest completion.
    /// </summary>
    public static long AtMost(IEnumerable<ChatMessage> messages, ChatOptions? options) =>
        messages.Sum(message => PromptAtMost(message.Text)) + (options?.MaxOutputTokens ?? 0);

    /// <inheritdoc cref="AtMost"/>
    public static long PromptAtMost(string text) => System.Text.Encoding.UTF8.GetByteCount(text) + TokensPerMessage;

    /// <summary>What a request took; null where the endpoint does not say.</summary>
    public static long? Of(UsageDetails usage) =>
        usage.InputTokenCount is null && usage.OutputTokenCount is null
            ? null
            : (usage.InputTokenCount ?? 0) + (usage.OutputTokenCount ?? 0);
}
