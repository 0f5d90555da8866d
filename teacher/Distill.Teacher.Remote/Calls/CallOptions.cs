namespace Distill.Teacher.Remote.Calls;

/// <summary>How patiently and how fast a remote teacher is asked. None of it changes what a completion is.</summary>
internal sealed record CallOptions
{
    /// <summary>Requests under way at once. 1..1,024, default 4.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>Further attempts after a fault that may pass. 0..100, default 6.</summary>
    public int Retries { get; init; } = 6;

    /// <summary>Mean wait before the second attempt; doubles with each further one, with jitter. 10 ms..1 h, default 2 s.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest such wait. Up to 1 h, default 1 min.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest Retry-After that is waited for; an endpoint that asks for more is given up. Up to 24 h, default 1 h.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Time of one attempt from sending to the end of its answer. 1 s..24 h, default 10 min: reasoning is long.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Attempts in any 60 s. 0 (the default) is no limit.</summary>
    public int RequestsPerMinute { get; init; }

    /// <summary>Tokens of prompts and completions in any 60 s. 0 (the default) is no limit.</summary>
    public int TokensPerMinute { get; init; }

    /// <summary>
    /// Send the request a second time when there is no answer after this long, and take the first answer; both may be billed. Null, the
    /// default: never.
    /// </summary>
    public TimeSpan? HedgeAfter { get; init; }

    /// <summary>
    /// Share of failed attempts within <see cref="BreakerWindow"/> at which the endpoint is left alone. (0, 1], default 0.9.
    /// </summary>
    public double BreakerFailures { get; init; } = 0.9;

    /// <summary>Attempts within the window before their share counts. 2..10,000, default 10.</summary>
    public int BreakerAttempts { get; init; } = 10;

    /// <summary>1 s..1 h, default 1 min.</summary>
    public TimeSpan BreakerWindow { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long it is left alone. 1 s..1 h, default 30 s.</summary>
    public TimeSpan BreakerPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Everything wrong, one sentence each; empty when the options can be used.</summary>
    public IReadOnlyList<string> FindProblems()
    {
        var problems = new List<string>();
        void Check(bool holds, string name, object? value, string allowed)
        {
            if (!holds) problems.Add($"{name} {value}: allowed is {allowed}.");
        }

        Check(Concurrency is >= 1 and <= 1024, nameof(Concurrency), Concurrency, "1..1,024");
        Check(Retries is >= 0 and <= 100, nameof(Retries), Retries, "0..100");
        Check(FirstDelay >= TimeSpan.FromMilliseconds(10) && FirstDelay <= OneHour, nameof(FirstDelay), FirstDelay, "10 ms..1 h");
        Check(LongestDelay >= FirstDelay && LongestDelay <= OneHour, nameof(LongestDelay), LongestDelay, $"{nameof(FirstDelay)}..1 h");
        Check(LongestRetryAfter >= TimeSpan.Zero && LongestRetryAfter <= OneDay, nameof(LongestRetryAfter), LongestRetryAfter, "0..24 h");
        Check(AttemptTimeout >= OneSecond && AttemptTimeout <= OneDay, nameof(AttemptTimeout), AttemptTimeout, "1 s..24 h");
        Check(RequestsPerMinute >= 0, nameof(RequestsPerMinute), RequestsPerMinute, "0 (no limit) and more");
        Check(TokensPerMinute >= 0, nameof(TokensPerMinute), TokensPerMinute, "0 (no limit) and more");
        Check(
            HedgeAfter is null || (HedgeAfter >= OneSecond && HedgeAfter <= OneDay), nameof(HedgeAfter), HedgeAfter,
            "nothing, or 1 s..24 h");
        Check(BreakerFailures is > 0 and <= 1, nameof(BreakerFailures), BreakerFailures, "more than 0, at most 1");
        Check(BreakerAttempts is >= 2 and <= 10_000, nameof(BreakerAttempts), BreakerAttempts, "2..10,000");
        Check(BreakerWindow >= OneSecond && BreakerWindow <= OneHour, nameof(BreakerWindow), BreakerWindow, "1 s..1 h");
        Check(BreakerPause >= OneSecond && BreakerPause <= OneHour, nameof(BreakerPause), BreakerPause, "1 s..1 h");
        return problems;
    }

    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1), OneHour = TimeSpan.FromHours(1), OneDay = TimeSpan.FromDays(1);
}

/// <summary>Prices per million tokens, in whatever currency the endpoint bills.</summary>
/// <param name="Prompt">0 and more.</param>
/// <param name="Completion">0 and more; reasoning tokens are billed as completion.</param>
internal sealed record TokenPrices(decimal Prompt, decimal Completion)
{
    public decimal CostOf(long promptTokens, long completionTokens) => (promptTokens * Prompt + completionTokens * Completion) / 1_000_000;

    public decimal CostOf(RemoteUsage usage) => CostOf(usage.PromptTokens, usage.CompletionTokens);
}
