using CsCheck;
using Distill.Service.Schedules;
using static Distill.Pipeline.Tests.Service.SampleSchedules;

namespace Distill.Pipeline.Tests.Service;

public sealed class CronTimesTests
{
    // Half hours, half-hour changes (Lord Howe), changes at midnight (Beirut), a day left out (Apia, end of 2011), none at all.
    private static readonly string[] Zones =
    [
        "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "America/St_Johns", "Pacific/Apia",
        "Africa/Casablanca", "Asia/Kolkata", "America/Sao_Paulo",
    ];

    private static readonly string[] Crons =
        ["30 2 * * *", "0 0 * * *", "*/30 * * * *", "15 1-3 * * *", "0 */6 * * *", "59 23 31 12 *",
            "0 3 * * 0", "*/17 2,3 1,29,30,31 3,10,11,12 *"];

    [Theory]
    [InlineData("2026-03-28T12:00Z", "2026-03-29T01:00Z")] // 02:30 does not exist: due at 03:00, summer time
    [InlineData("2026-03-29T01:00Z", "2026-03-30T00:30Z")]
    [InlineData("2026-10-24T12:00Z", "2026-10-25T00:30Z")] // 02:30 comes twice: the first time, summer time
    [InlineData("2026-10-25T00:30Z", "2026-10-26T01:30Z")]
    public void An_hour_that_does_not_exist_or_comes_twice_runs_once(string after, string due) =>
        CronTimes.Parse("30 2 * * *", "Europe/Berlin").Next(Utc(after)).ShouldBe(Utc(due));

    [Fact]
    public void Several_times_within_an_hour_that_does_not_exist_are_due_once() =>
        CronTimes.Parse("*/10 2,3 * * *", "Europe/Berlin").Between(Utc("2026-03-29T00:00Z"), Utc("2026-03-29T01:20Z"))
            .ShouldBe([Utc("2026-03-29T01:00Z"), Utc("2026-03-29T01:10Z"), Utc("2026-03-29T01:20Z")]);

    [Fact]
    public void A_day_that_a_zone_left_out_is_due_once() =>
        CronTimes.Parse("0 6 * * *", "Pacific/Apia").Between(Utc("2011-12-29T00:00Z"), Utc("2011-12-31T20:00Z"))
            .Select(due => CronTimes.Parse("0 6 * * *", "Pacific/Apia").WallTime(due).ToString("MM-dd HH:mm"))
            .ShouldBe(["12-29 06:00", "12-31 00:00", "12-31 06:00", "01-01 06:00"]);

    /// <summary>Against the definition, minute by minute: a wall time counts at the first moment at which the clocks have reached
    /// it.</summary>
    [Fact]
    public void What_is_due_is_every_wall_time_of_the_expression_once()
    {
        var cases = Gen.Select(Gen.OneOf(Zones), Gen.OneOf(Crons), Gen.Int[0, 366 * 24 * 14], Gen.Int[1, 80]);
        cases.Sample((zone, cron, hour, hours) =>
        {
            var start = Utc("2011-12-25T00:00Z").AddHours(hour);
            var times = CronTimes.Parse(cron, zone);
            times.Between(start, start.AddHours(hours)).ShouldBe(ByDefinition(times.Zone, cron, start, start.AddHours(hours)));
        }, iter: 300);
    }

    [Theory]
    [InlineData("0 2 * * *", true)]
    [InlineData("@daily", true)]
    [InlineData("0 0 30 2 *", false)]
    [InlineData("0 0 29 2 *", true)]
    [InlineData("* * * * * *", false)]
    [InlineData("60 * * * *", false)]
    [InlineData("H 2 * * *", false)]
    [InlineData("", false)]
    public void An_expression_is_taken_only_if_it_can_come_and_says_the_same_everywhere(string cron, bool taken) =>
        CronTimes.IsCron(cron).ShouldBe(taken);

    // The wall clock is walked in UTC minutes; of all clock readings so far the furthest is what has been reached.
    private static List<DateTimeOffset> ByDefinition(TimeZoneInfo zone, string cron, DateTimeOffset after, DateTimeOffset until)
    {
        var expression = Cronos.CronExpression.Parse(cron);
        var due = new List<DateTimeOffset>();
        var furthest = DateTime.MinValue;
        for (var moment = after.AddDays(-2); moment <= until; moment = moment.AddMinutes(1))
        {
            var wall = TimeZoneInfo.ConvertTime(moment, zone).DateTime;
            if (wall <= furthest) continue;
            bool isReached = furthest > DateTime.MinValue
                && expression.GetNextOccurrence(DateTime.SpecifyKind(furthest, DateTimeKind.Utc)) is { } next && next <= wall;
            furthest = wall;
            if (isReached && moment > after) due.Add(moment);
        }

        return due;
    }
}
