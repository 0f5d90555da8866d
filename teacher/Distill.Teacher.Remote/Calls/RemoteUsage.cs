namespace Distill.Teacher.Remote.Calls;

/// <summary>What was asked and answered so far.</summary>
/// <param name="Requests">Completions asked for.</param>
/// <param name="Attempts">Requests sent, repeated and hedged ones included.</param>
/// <param name="PromptTokens">As the endpoint counted them.</param>
/// <param name="CompletionTokens">Reasoning included.</param>
/// <param name="ReasoningTokens">Where the endpoint says; 0 where it does not.</param>
/// <param name="Uncounted">Answers whose tokens the endpoint did not state: they are missing in the sums and the cost.</param>
public sealed record RemoteUsage(long Requests, long Attempts, long PromptTokens, long CompletionTokens, long ReasoningTokens, long Uncounted)
{
    public static RemoteUsage None { get; } = new(0, 0, 0, 0, 0, 0);
}
