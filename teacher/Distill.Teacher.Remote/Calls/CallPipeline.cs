using Microsoft.Extensions.AI;
using Polly;
using Polly.CircuitBreaker;
using Polly.Hedging;
using Polly.Retry;
using Polly.Timeout;

namespace Distill.Teacher.Remote.Calls;

/// <summary>
/// The way of a request, from the outside in: retry → hedging → concurrency → pace → circuit breaker → attempt timeout. Waiting for a
/// turn is outside of the timeout, so a full queue is no slow teacher; the breaker is inside of the pace, so what waited while it opened is
/// still held back.
/// </summary>
internal static class CallPipeline
{
    /// <param name="read">Exception → fault; null for what is not to be repeated.</param>
    /// <param name="jitter">Uniform in [0, 1); called by any thread.</param>
    public static ResiliencePipeline<ChatResponse> Build(
        CallOptions options, Pace pace, Func<Exception?, RemoteTeacherException?> read, TimeProvider clock, Func<double> jitter)
    {
        var builder = new ResiliencePipelineBuilder<ChatResponse> { Name = "teacher", TimeProvider = clock };
        if (options.Retries > 0) builder.AddRetry(Retry(options, read, jitter));
        if (options.HedgeAfter is { } after) builder.AddHedging(Hedge(after));
        return builder
            .AddConcurrencyLimiter(options.Concurrency, int.MaxValue)
            .AddStrategy(_ => new PaceStrategy(pace, options), new PaceStrategyOptions())
            .AddCircuitBreaker(Breaker(options, read))
            .AddTimeout(new TimeoutStrategyOptions { Timeout = options.AttemptTimeout })
            .Build();
    }

    private static RetryStrategyOptions<ChatResponse> Retry(
        CallOptions options, Func<Exception?, RemoteTeacherException?> read, Func<double> jitter) => new()
    {
        MaxRetryAttempts = options.Retries,
        BackoffType = DelayBackoffType.Exponential,
        Delay = options.FirstDelay,
        MaxDelay = options.LongestDelay,
        UseJitter = true,
        Randomizer = jitter,
        ShouldHandle = arguments =>
            ValueTask.FromResult(read(arguments.Outcome.Exception) is { IsTransient: true } fault
                && !(fault.RetryAfter > options.LongestRetryAfter)),
        // Null is the exponential delay, which is also what an endpoint gets that wants us back at once and was not ready a moment ago.
        DelayGenerator = arguments => ValueTask.FromResult<TimeSpan?>(arguments.Outcome.Exception switch
        {
            BrokenCircuitException { RetryAfter: { } pause } => pause,
            var exception => read(exception)?.RetryAfter is { } wait && wait > TimeSpan.Zero ? wait : null,
        }),
    };

    // Slowness alone is hedged. A fault goes to the retry with its delay; hedging would repeat it at once.
    private static HedgingStrategyOptions<ChatResponse> Hedge(TimeSpan after) => new()
    {
        Delay = after,
        MaxHedgedAttempts = 1,
        ShouldHandle = _ => ValueTask.FromResult(false),
    };

    // Being told to slow down, or being asked wrongly, says nothing against the endpoint's health.
    private static CircuitBreakerStrategyOptions<ChatResponse> Breaker(
        CallOptions options, Func<Exception?, RemoteTeacherException?> read) => new()
    {
        FailureRatio = options.BreakerFailures,
        MinimumThroughput = options.BreakerAttempts,
        SamplingDuration = options.BreakerWindow,
        BreakDuration = options.BreakerPause,
        ShouldHandle = arguments => ValueTask.FromResult(read(arguments.Outcome.Exception)?.Kind
            is RemoteFaultKind.Unreachable or RemoteFaultKind.ServerFault or RemoteFaultKind.TimedOut or RemoteFaultKind.Damaged),
    };
}

/// <summary>Exceptions of any chat client → what they mean to us.</summary>
internal static class FaultReading
{
    /// <summary>
    /// Ours as it is; what <see cref="HttpClient"/> and Polly throw, translated; anything else is not ours to judge: null.
    /// </summary>
    public static RemoteTeacherException? Read(Exception? exception, CallOptions options) => exception switch
    {
        RemoteTeacherException own => own,
        TimeoutRejectedException => new(
            RemoteFaultKind.TimedOut,
            $"The teacher gave no whole answer within {options.AttemptTimeout.TotalSeconds:0} s (attempt timeout)."),
        BrokenCircuitException => new(
            RemoteFaultKind.CircuitOpen,
            $"The teacher failed most of the last attempts and is left alone for {options.BreakerPause.TotalSeconds:0} s.", exception),
        HttpRequestException { StatusCode: { } status } fault => OfStatus((int)status, fault),
        HttpRequestException or HttpIOException => new(RemoteFaultKind.Unreachable, exception.Message, exception),
        _ => null,
    };

    private static RemoteTeacherException OfStatus(int status, Exception fault) =>
        new(
            status == 429 ? RemoteFaultKind.Busy : status is 408 or >= 500 ? RemoteFaultKind.ServerFault : RemoteFaultKind.Refused,
            fault.Message, fault) { Status = status };
}

/// <summary>Seeded numbers in [0, 1) for any thread. They spread attempts over time and decide nothing else.</summary>
internal sealed class Jitter(int seed)
{
    private readonly Lock gate = new();
    private readonly Random random = new(seed);

    public double Next()
    {
        lock (gate) return random.NextDouble();
    }
}
