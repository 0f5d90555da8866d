using Distill.Pipeline.Planning;
using Distill.Pipeline.Runs;
using Microsoft.Extensions.Time.Testing;

namespace Distill.Pipeline.Tests.Planning;

public sealed class TimeLeftTests
{
    private static readonly string[] s_names = ["first", "second", "third"];

    private readonly FakeTimeProvider clock = new();

    [Fact]
    public void It_begins_with_the_plan_and_ends_with_nothing()
    {
        var left = new TimeLeft(Plan(100, 20), clock);
        left.Now.ShouldBe(TimeSpan.FromSeconds(120));
        Do(left, "first", 100);
        left.Now.ShouldBe(TimeSpan.FromSeconds(20));
        Do(left, "second", 20);
        left.Now.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void A_machine_that_is_slower_than_it_was_shifts_what_follows()
    {
        var left = new TimeLeft(Plan(100, 20), clock);
        Do(left, "first", 200);
        left.Now!.Value.TotalSeconds.ShouldBe(20 * 212 / 112.0, 0.01);
    }

    [Fact]
    public void What_was_skipped_counts_for_nothing()
    {
        var left = new TimeLeft(Plan(2400, 10, 20), clock);
        left.Skip("first");
        Do(left, "second", 30);
        left.Now!.Value.TotalSeconds.ShouldBe(20 * 33 / 13.0, 0.01);
    }

    // A run of minutes was said to take hours because drawing its problems took seconds more than predicted.
    [Fact]
    public void Some_seconds_more_say_little_of_an_hour()
    {
        var left = new TimeLeft(Plan(7, 2400), clock);
        Do(left, "first", 20);
        left.Now!.Value.TotalSeconds.ShouldBe(2400 * 260.7 / 247.7, 0.01);
    }

    [Fact]
    public void The_pace_of_a_stage_counts_more_the_further_it_is()
    {
        var left = new TimeLeft(Plan(100, 20), clock);
        left.Begin("first");
        left.See(new StageProgress(0, 10, "steps"));
        clock.Advance(TimeSpan.FromSeconds(50));
        left.See(new StageProgress(1, 10, "steps"));
        left.Now!.Value.TotalSeconds.ShouldBe(20 + (0.5 * 450) + (0.5 * 50), 0.01);
        clock.Advance(TimeSpan.FromSeconds(100));
        left.See(new StageProgress(5, 10, "steps"));
        left.Now!.Value.TotalSeconds.ShouldBe(20 + 150, 0.01);
    }

    [Fact]
    public void What_an_earlier_process_did_says_nothing_of_the_pace()
    {
        var left = new TimeLeft(Plan(100, 20), clock);
        left.Begin("first");
        left.See(new StageProgress(8, 10, "steps"));
        clock.Advance(TimeSpan.FromSeconds(5));
        left.See(new StageProgress(9, 10, "steps"));
        left.Now!.Value.TotalSeconds.ShouldBe(20 + (0.4 * 5) + (0.6 * 95), 0.01);
    }

    // A stage of an hour and a half that was predicted to take a second showed 5 minutes left.
    [Fact]
    public void A_stage_that_has_taken_all_of_its_predicted_time_goes_by_its_pace_alone()
    {
        var left = new TimeLeft(Plan(1, 20), clock);
        left.Begin("first");
        left.See(new StageProgress(0, 6000, "steps"));
        clock.Advance(TimeSpan.FromSeconds(60));
        left.See(new StageProgress(60, 6000, "steps"));
        left.Now!.Value.TotalSeconds.ShouldBe(20 + 5940, 0.01);
    }

    [Fact]
    public void The_time_of_opening_a_stage_is_no_part_of_its_pace()
    {
        var left = new TimeLeft(Plan(30, 20), clock);
        left.Begin("first");
        clock.Advance(TimeSpan.FromSeconds(40));
        left.See(new StageProgress(0, 1000, "steps"));
        clock.Advance(TimeSpan.FromSeconds(0.1));
        left.See(new StageProgress(1, 1000, "steps"));
        left.Now!.Value.TotalSeconds.ShouldBe(20); // a tenth of a second is no pace
        clock.Advance(TimeSpan.FromSeconds(1.9));
        left.See(new StageProgress(20, 1000, "steps"));
        left.Now!.Value.TotalSeconds.ShouldBe(20 + 98, 0.01);
    }

    [Fact]
    public void What_turns_out_to_be_finished_takes_no_time()
    {
        var left = new TimeLeft(Plan(100, 20), clock);
        left.Skip("first");
        left.Now.ShouldBe(TimeSpan.FromSeconds(20));
        new TimeLeft(new RunPlan("r", "/r", []), clock).Now.ShouldBeNull();
    }

    private void Do(TimeLeft left, string stage, double seconds)
    {
        left.Begin(stage);
        clock.Advance(TimeSpan.FromSeconds(seconds));
        left.End(TimeSpan.FromSeconds(seconds));
    }

    private static RunPlan Plan(params double[] seconds) => new("r", "/r",
    [
        .. seconds.Select((time, i) => new PlannedStage(s_names[i], StageDecision.Run, "", "") { Seconds = time }),
    ]);
}
