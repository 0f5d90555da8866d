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
