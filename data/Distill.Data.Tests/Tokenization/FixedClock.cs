namespace Distill.Data.Tests.Tokenization;

/// <summary>The clock of the reference renderings: a Friday, 2025-03-07 14:05:09.</summary>
internal sealed class FixedClock : TimeProvider
{
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => new(2025, 3, 7, 14, 5, 9, TimeSpan.Zero);
}
