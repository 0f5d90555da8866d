using Microsoft.Extensions.AI;
using Polly;
using Polly.CircuitBreaker;

namespace Distill.Teacher.Remote.Calls;

/// <summary>
/// The rate limits as a step of the resilience pipeline. Every attempt passes through it, repeated and hedged ones too. Polly's own limiter
/// takes a permit and knows neither corrections nor a clock that tests can turn.
/// </summary>
internal sealed class PaceStrategy(Pace pace, CallOptions options) : ResilienceStrategy<ChatResponse>
{
    /// <summary>Tokens a request will take at most.</summary>
    public static ResiliencePropertyKey<long> Estimate { get; } = new("distill.tokens");

    protected override async ValueTask<Outcome<ChatResponse>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<ChatResponse>>> callback, ResilienceContext context, TState state)
    {
        var ticket = await pace.EnterAsync(context.Properties.GetValue(Estimate, 0), context.CancellationToken).ConfigureAwait(context.ContinueOnCapturedContext);
        var outcome = await callback(context, state).ConfigureAwait(context.ContinueOnCapturedContext);
        switch (outcome)
        {
            case { Result.Usage: { } usage } when TokenUse.Of(usage) is { } used:
                pace.Correct(ticket, used);
                break;
            case { Exception: BrokenCircuitException }:
                pace.Return(ticket);
                break;
            case { Exception: RemoteTeacherException { RetryAfter: { } wait } } when wait <= options.LongestRetryAfter:
                pace.Correct(ticket, 0); // refused at the door
                pace.Pause(wait);
                break;
        }

        return outcome;
    }
}

/// <summary>Options of <see cref="PaceStrategy"/> as Polly wants to see them.</summary>
internal sealed class PaceStrategyOptions : ResilienceStrategyOptions
{
    public PaceStrategyOptions() => Name = "Pace";
}
