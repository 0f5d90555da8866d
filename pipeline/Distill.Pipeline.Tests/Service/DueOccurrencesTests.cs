using CsCheck;
using Distill.Service.Occurrences;
using Distill.Service.Schedules;
using static Distill.Pipeline.Tests.Service.SampleSchedules;

namespace Distill.Pipeline.Tests.Service;

/// <summary>What is due, missed and in the way, decided without a clock, a queue or a run.</summary>
public sealed class DueOccurrencesTests
{
    private static readonly DateTimeOffset Night = Utc("2026-11-28T02:00Z");

    [Fact]
    public void What_is_due_is_made_once_and_not_again_when_asked_again()
    {
        var schedule = Schedule("0 2 * * *");
        var decision = Decide(schedule, Night.AddHours(-1), Night.AddSeconds(2));
        var made = decision.Made.ShouldHaveSingleItem();
        (made.Due, made.State, made.Cause, made.Run).ShouldBe(
            (Night, OccurrenceState.Waiting, OccurrenceCause.Schedule, "nightly-20261128t020000z"));
        Decide(schedule, Night.AddHours(-1), Night.AddSeconds(4), made).Made.ShouldBeEmpty(); // the note of how far was lost
        Decide(schedule, decision.SeenUntil, Night.AddSeconds(4)).Made.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("None", 0)]
    [InlineData("One", 1)]
    [InlineData("All", 5)]
    public void Missed_runs_are_caught_up_with_as_the_schedule_says(string policy, int count)
    {
        var decision =
            Decide(Schedule("0 2 * * *", catchUp: Enum.Parse<CatchUpPolicy>(policy)), Night.AddHours(-1), Night.AddDays(4).AddHours(3));
        decision.Made.Count.ShouldBe(count);
        decision.Made.ShouldAllBe(made => made.Cause == OccurrenceCause.CatchUp && made.State == OccurrenceState.Waiting);
        if (count > 0) decision.Made[^1].Due.ShouldBe(Night.AddDays(4));
    }

    [Fact]
    public void One_that_is_on_time_is_enough_for_those_that_were_missed() =>
        Decide(Schedule("0 2 * * *"), Night.AddHours(-1), Night.AddDays(3).AddMinutes(1)).Made.ShouldHaveSingleItem()
            .Cause.ShouldBe(OccurrenceCause.Schedule);

    [Fact]
    public void Of_very_many_missed_ones_the_newest_hundred_count()
    {
        var made = Decide(Schedule("* * * * *", catchUp: CatchUpPolicy.All), Night, Night.AddDays(30)).Made;
        made.Count.ShouldBe(DueOccurrences.Most);
        made[^1].Due.ShouldBe(Night.AddDays(30));
    }

    [Fact]
    public void While_one_is_at_work_the_next_is_skipped_with_a_reason_queued_or_takes_its_place()
    {
        var earlier = Waiting("2026-11-27T02:00Z") with { State = OccurrenceState.Running };
        var skipped = Decide(Schedule("0 2 * * *"), Night.AddHours(-1), Night, earlier).Made.ShouldHaveSingleItem();
        (skipped.State, skipped.Reason).ShouldBe((OccurrenceState.Skipped, "nightly-20261127t020000z is not over yet"));

        var queued = Decide(Schedule("0 2 * * *", overlap: OverlapPolicy.Queue), Night.AddHours(-1), Night, earlier);
        queued.Made.ShouldHaveSingleItem().State.ShouldBe(OccurrenceState.Waiting);
        queued.Cancelled.ShouldBeEmpty();

        var cancelling = Decide(Schedule("0 2 * * *", overlap: OverlapPolicy.Cancel), Night.AddHours(-1), Night, earlier);
        cancelling.Made.ShouldHaveSingleItem().State.ShouldBe(OccurrenceState.Waiting);
        cancelling.Cancelled.ShouldBe([earlier]);
    }

    [Fact]
    public void A_paused_or_disabled_schedule_starts_nothing_and_does_not_catch_up_later()
    {
        var times = CronTimes.Parse("0 2 * * *", "UTC");
        var paused = DueOccurrences.Decide(Schedule("0 2 * * *"), times, new(Night.AddHours(-1), true, []), Night.AddHours(1));
        paused.Made.ShouldBeEmpty();
        Decide(Schedule("0 2 * * *"), paused.SeenUntil, Night.AddHours(2)).Made.ShouldBeEmpty();
        Decide(Schedule("0 2 * * *") with { Enabled = false }, Night.AddHours(-1), Night).Made.ShouldBeEmpty();
    }

    [Fact]
    public void A_clock_that_was_set_back_makes_nothing_again_that_was_removed_since()
    {
        var (schedule, times) = (Schedule("0 * * * *", catchUp: CatchUpPolicy.All), CronTimes.Parse("0 * * * *", "UTC"));
        var removed = Night.AddHours(3);
        DueOccurrences.Decide(schedule, times, new(Night.AddHours(-1), false, [], removed), Night.AddHours(4)).Made
            .ShouldHaveSingleItem().Due.ShouldBe(Night.AddHours(4));
        DueOccurrences.Decide(schedule, times, new(Night.AddHours(-1), false, [], Night.AddYears(12)), Night).Made.Count.ShouldBe(1);
    }

    [Fact]
    public void What_ended_in_the_future_is_let_go_of_before_what_ended_now()
    {
        Occurrence Ended(DateTimeOffset at) => Waiting("2026-11-28T02:00Z") with
        {
            Due = at, State = OccurrenceState.Finished, Closed = at, Attempts = [new Attempt(at, at, AttemptEnd.Finished)],
        };
        Occurrence[] known = [Ended(Night.AddYears(12)), Ended(Night.AddDays(-2)), Ended(Night.AddDays(-1))];
        AttemptRules.Expired(new() { Runs = 2 }, known, Night).ShouldHaveSingleItem().ShouldBe(known[0]);
    }

    [Fact]
    public void A_clock_that_was_years_ahead_for_a_moment_does_not_silence_a_schedule()
    {
        var schedule = Schedule("0 2 * * *", catchUp: CatchUpPolicy.None);
        var ahead = Decide(schedule, Night.AddHours(-1), Night.AddYears(4));
        var back = Decide(schedule, ahead.SeenUntil, Night.AddMinutes(-30));
        Decide(schedule, back.SeenUntil, Night).Made.ShouldHaveSingleItem().Due.ShouldBe(Night);
    }

    /// <summary>
    /// Looks at random times, with stops, lost notes and a clock that jumps both ways: with `all` and `queue`, everything that was due
    /// between the first look and the furthest one is made exactly once, and nothing else.
    /// </summary>
    [Fact]
    public void Whatever_the_clock_does_every_occurrence_is_made_exactly_once()
    {
        var looks = Gen.Select(Gen.Int[-90, 400], Gen.Int[0, 9]).List[1, 60];
        var zones = Gen.OneOf("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe");
        var crons = Gen.OneOf("30 2 * * *", "0 */3 * * *", "15 1-3 * * *");
        Gen.Select(zones, crons, Gen.Int[0, 365 * 24], looks).Sample((zone, cron, hour, jumps) =>
        {
            var schedule = Schedule(cron, zone, OverlapPolicy.Queue, CatchUpPolicy.All);
            var times = schedule.Times();
            var start = Utc("2026-01-01T00:00Z").AddHours(hour);
            DateTimeOffset now = start, seen = start, furthest = start;
            var known = new Dictionary<DateTimeOffset, Occurrence>();
            foreach (var (minutes, chance) in jumps)
            {
                now = now.AddMinutes(minutes);
                if (now > furthest) furthest = now;
                if (now < start) now = start;
                var decision = DueOccurrences.Decide(schedule, times, new(seen, false, [.. known.Values]), now);
                foreach (var made in decision.Made) known.Add(made.Due, made with { State = OccurrenceState.Finished }); // twice: throws
                if (chance > 0) seen = decision.SeenUntil;
            }

            known.Keys.Order().ShouldBe(times.Between(start, furthest));
        }, iter: 400);
    }

    [Fact]
    public void After_a_failure_a_run_waits_twice_as_long_each_time_and_then_fails()
    {
        var retries = new RetrySection { Attempts = 2, DelayMinutes = 10 };
        var occurrence = Waiting("2026-11-28T02:00Z");
        foreach (int minutes in (int[])[10, 20])
        {
            occurrence = Fail(occurrence, AttemptEnd.Fault);
            (occurrence.State, occurrence.NotBefore).ShouldBe((OccurrenceState.Waiting, Night.AddMinutes(minutes)));
        }

        occurrence = Fail(occurrence, AttemptEnd.Crash);
        (occurrence.State, occurrence.Reason, occurrence.Failures).ShouldBe((OccurrenceState.Failed, "no", 3));

        Occurrence Fail(Occurrence before, AttemptEnd end) => AttemptRules.After(
            before with { Attempts = [.. before.Attempts, new Attempt(Night)] },
                new Attempt(Night, Night, end, null, "no"), retries, Night);
    }

    [Theory]
    [InlineData("Invalid", "Failed")]
    [InlineData("Gate", "Refused")]
    [InlineData("Stopped", "Waiting")]
    [InlineData("Cancelled", "Cancelled")]
    [InlineData("Finished", "Finished")]
    public void What_is_no_fault_of_the_machine_is_not_tried_again(string end, string state)
    {
        var started = Waiting("2026-11-28T02:00Z") with { Attempts = [new Attempt(Night)] };
        var after = AttemptRules.After(started, new Attempt(Night, Night, Enum.Parse<AttemptEnd>(end)), new RetrySection(), Night);
        (after.State, after.NotBefore).ShouldBe((Enum.Parse<OccurrenceState>(state), null));
    }

    [Fact]
    public void Retention_lets_go_of_the_oldest_and_never_of_what_is_at_work()
    {
        Occurrence[] known =
        [
            .. Enumerable.Range(0, 6).Select(day => Waiting($"2026-11-2{day}T02:00Z") with
            {
                State = OccurrenceState.Finished, Closed = Utc($"2026-11-2{day}T03:00Z"), Attempts = [new Attempt(Night)],
            }),
            Waiting("2026-11-19T02:00Z"),
        ];
        Expired(new() { Runs = 4 }).ShouldBe([21, 20]);
        Expired(new() { Days = 6 }).ShouldBe([21, 20]);
        Expired(new()).ShouldBeEmpty();

        IEnumerable<int> Expired(RetentionSection retention) => AttemptRules.Expired(retention, known, Night).Select(one => one.Due.Day);
    }

    private static ScheduleDecision Decide(ScheduleSection schedule, DateTimeOffset seen, DateTimeOffset now, params Occurrence[] known) =>
        DueOccurrences.Decide(schedule, schedule.Times(), new(seen, false, known), now);
}
