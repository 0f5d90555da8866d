using Microsoft.Extensions.AI;
using Polly;
using Polly.CircuitBreaker;

namespace Distill.Teacher.Remote.Calls;

/// <summary>
/// Lets attempts through in the order they came, no faster than the limits and not before an endpoint that asked for a pause wants us back.
/// Thread-safe.
/// </summary>
internal sealed class Pace(CallOptions options, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly Lock gate = new();
    private readonly MinuteWindow requests = new(options.RequestsPerMinute, clock), tokens = new(options.TokensPerMinute, clock);
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset pausedUntil = DateTimeOffset.MinValue;

    /// <param name="estimate">Tokens that the attempt will take at most.</param>
    public async Task<PaceTicket> EnterAsync(long estimate, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            while (true)
            {
                Task change;
                TimeSpan wait;
                lock (gate)
                {
                    wait = WaitFor(estimate);
                    if (wait <= TimeSpan.Zero) return new PaceTicket(requests.Add(1), tokens.Add(estimate));
                    change = changed.Task;
                }

                await ElapseAsync(change, wait, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>The attempt took this many tokens.</summary>
    public void Correct(PaceTicket ticket, long used) => Change(() => tokens.Correct(ticket.Tokens, used));

    /// <summary>The attempt was never sent.</summary>
    public void Return(PaceTicket ticket) => Change(() =>
    {
        requests.Correct(ticket.Request, 0);
        tokens.Correct(ticket.Tokens, 0);
    });

    /// <summary>Nobody is let through for a while.</summary>
    public void Pause(TimeSpan duration) => Change(() =>
    {
        var until = clock.GetUtcNow() + duration;
        if (until > pausedUntil) pausedUntil = until;
    });

    public void Dispose() => turn.Dispose();

    private async Task ElapseAsync(Task change, TimeSpan wait, CancellationToken cancellation)
    {
        try
        {
            await change.WaitAsync(wait, clock, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Waited as long as it takes when nothing changes.
        }
    }

    private TimeSpan WaitFor(long estimate)
    {
        var wait = pausedUntil - clock.GetUtcNow();
        foreach (var other in (ReadOnlySpan<TimeSpan>)[requests.WaitFor(1), tokens.WaitFor(estimate)])
            if (other > wait) wait = other;
        return wait;
    }

    private void Change(Action change)
    {
        TaskCompletionSource waiting;
        lock (gate)
        {
            change();
            waiting = changed;
            changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        waiting.SetResult();
    }
}

internal sealed record PaceTicket(MinuteEntry Request, MinuteEntry Tokens);

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
        var ticket = await pace.EnterAsync(context.Properties.GetValue(Estimate, 0), context.CancellationToken)
            .ConfigureAwait(context.ContinueOnCapturedContext);
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
