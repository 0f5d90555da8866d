namespace Distill.Teacher.Remote.Calls;

/// <summary>Prices per million tokens, in whatever currency the endpoint bills.</summary>
/// <param name="Prompt">0 and more.</param>
/// <param name="Completion">0 and more; reasoning tokens are billed as completion.</param>
public sealed record TokenPrices(decimal Prompt, decimal Completion)
{
    public decimal CostOf(long promptTokens, long completionTokens) => (promptTokens * Prompt + completionTokens * Completion) / 1_000_000;

    public decimal CostOf(RemoteUsage usage) => CostOf(usage.PromptTokens, usage.CompletionTokens);
}
