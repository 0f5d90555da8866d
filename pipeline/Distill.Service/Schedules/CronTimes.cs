using System.Diagnostics.CodeAnalysis;
using Cronos;

namespace Distill.Service.Schedules;

/// <summary>
/// When a schedule is due: every wall clock time of its cron expression once. A time that the clock leaves out comes at the moment the
/// clock has gone on (all that is left out at once is due once); a time that the clock shows twice counts the first time. Immutable,
/// thread-safe.
/// </summary>
internal sealed class CronTimes
{
    private const int MostOffsetMinutes = 27 * 60; // offsets lie within 14 h; a clock is put forward by at most a day

    private readonly CronExpression expression;

    private CronTimes(CronExpression expression, TimeZoneInfo zone) => (this.expression, Zone) = (expression, zone);

    public TimeZoneInfo Zone { get; }

    /// <exception cref="FormatException">Not such an expression; see <see cref="IsCron"/>.</exception>
    /// <exception cref="TimeZoneNotFoundException">See <see cref="IsZone"/>.</exception>
    public static CronTimes Parse(string cron, string zone) =>
        TryRead(cron, out var expression) ? new(expression, TimeZoneInfo.FindSystemTimeZoneById(zone))
            : throw new FormatException($"'{cron}' is no cron expression.");

    /// <summary>Whether it can be read and ever comes: the 30th of February does not.</summary>
    public static bool IsCron(string cron) => TryRead(cron, out _);

    public static bool IsZone(string zone) => zone.Length > 0 && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _);

    /// <summary>The first moment after <paramref name="moment"/> at which it is due; null when there is none.</summary>
    public DateTimeOffset? Next(DateTimeOffset moment)
    {
        // No wall time up to the one of the moment itself can be due later than the moment.
        for (var wall = WallTime(moment); NextWall(wall) is { } next; wall = next)
        {
            var due = Moment(next);
            if (due > moment) return due;
        }

        return null;
    }

    /// <summary>What is due after one moment and not after another, in order.</summary>
    public IEnumerable<DateTimeOffset> Between(DateTimeOffset after, DateTimeOffset until)
    {
        for (var due = Next(after); due <= until; due = Next(due.Value)) yield return due.Value;
    }

    /// <summary>What the clocks of the zone show.</summary>
    public DateTime WallTime(DateTimeOffset moment) => TimeZoneInfo.ConvertTime(moment, Zone).DateTime;

    private static bool TryRead(string cron, [NotNullWhen(true)] out CronExpression? expression)
    {
        expression = null;
        return cron.Length is > 0 and <= 200 && !cron.Contains('H', StringComparison.Ordinal)
            && CronExpression.TryParse(cron, out expression)
            && expression.GetNextOccurrence(new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc), TimeZoneInfo.Utc) is not null;
    }

    // The expression is asked in wall time, where no hour is missing or doubled.
    private DateTime? NextWall(DateTime wall) =>
        expression.GetNextOccurrence(DateTime.SpecifyKind(wall, DateTimeKind.Utc)) is { } next
            ? DateTime.SpecifyKind(next, DateTimeKind.Unspecified) : null;

    /// <summary>The first moment at which the zone's clocks show the time, or have passed it.</summary>
    private DateTimeOffset Moment(DateTime wall)
    {
        var offset = Zone.IsAmbiguousTime(wall) ? Zone.GetAmbiguousTimeOffsets(wall).Max() : Zone.GetUtcOffset(wall);
        var moment = new DateTimeOffset(wall, offset).ToUniversalTime();
        return WallTime(moment) == wall ? moment : EndOfGap(wall); // not all gaps are ones that TimeZoneInfo calls invalid
    }

    private DateTimeOffset EndOfGap(DateTime wall)
    {
        var start = new DateTimeOffset(wall, TimeSpan.Zero);
        int before = -MostOffsetMinutes, after = MostOffsetMinutes; // in minutes: the clock is not past the time, and is
        while (after - before > 1)
        {
            int middle = (before + after) / 2;
            if (WallTime(start.AddMinutes(middle)) >= wall) after = middle;
            else before = middle;
        }

        return start.AddMinutes(after);
    }
}
