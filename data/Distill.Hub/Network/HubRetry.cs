using Polly;
using Polly.Retry;

namespace Distill.Hub.Network;

/// <summary>Tries again what may pass: exponential delays with jitter, or the delay that the Hub asks for. Thread-safe.</summary>
internal sealed class HubRetry
{
    // The Hub counts requests in windows of five minutes.
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1), LongestDelay = TimeSpan.FromSeconds(30),
        LongestPatience = TimeSpan.FromMinutes(10);

    private readonly ResiliencePipeline pipeline;

    /// <param name="waiting">Told what is waited for, in words.</param>
    public HubRetry(HubOptions options, TimeProvider clock, Action<string> waiting)
    {
        var builder = new ResiliencePipelineBuilder { Name = "hub", TimeProvider = clock };
        var jitter = new SeededJitter(seed: 1);
        if (options.Retries > 0)
        {
            builder.AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = options.Retries,
                BackoffType = DelayBackoffType.Exponential,
                Delay = FirstDelay,
                MaxDelay = LongestDelay,
                UseJitter = true,
                Randomizer = jitter.Next,
                ShouldHandle = arguments => ValueTask.FromResult(
                    arguments.Outcome.Exception is HubException { IsTransient: true } fault && !(fault.RetryAfter > LongestPatience)),
                DelayGenerator = arguments => ValueTask.FromResult<TimeSpan?>(
                    arguments.Outcome.Exception is HubException { RetryAfter: { } wait } && wait > TimeSpan.Zero ? wait : null),
                OnRetry = arguments =>
                {
                    string reason = arguments.Outcome.Exception is HubException { Fault: HubFault.Busy } ? "the Hub asks for patience"
                        : "the connection failed";
                    waiting($"{reason}, next try in {Math.Max(1, arguments.RetryDelay.TotalSeconds):0} s");
                    return ValueTask.CompletedTask;
                },
            });
        }

        pipeline = builder.Build();
    }

    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> attempt, CancellationToken cancellation) =>
        await pipeline.ExecuteAsync(async token => await attempt(token).ConfigureAwait(false), cancellation).ConfigureAwait(false);

    // Spreads tries over time and decides nothing else.
    private sealed class SeededJitter(int seed)
    {
        private readonly Lock gate = new();
        private readonly Random random = new(seed);

        public double Next()
        {
            lock (gate) return random.NextDouble();
        }
    }
}
