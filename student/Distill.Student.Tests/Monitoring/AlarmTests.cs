using Distill.Student.Monitoring;

namespace Distill.Student.Tests.Monitoring;

/// <summary>Every alarm on a made-up course: silent while it is sound, rings where it goes wrong, once.</summary>
public sealed class AlarmTests
{
    private static readonly TrainingMoment Sound =
        new(0, Reward: 0.5, HeldOut: double.NaN, Entropy: 1, MeanTokens: 50, Truncated: 0.1, DeadGroups: 0.3, GradientNorm: 1);

    [Fact]
    public void Entropy_that_collapses_is_noticed() =>
        // three updates at 0.1
        Rings(new EntropyCollapse(0.2, 3, stops: true), Course(20, (moment, step) => moment with { Entropy = step < 10 ? 1 : 0.1 }), 12);

    [Fact]
    public void Updates_that_learned_nothing_have_no_entropy_and_are_no_collapse() =>
        Silent(new EntropyCollapse(0.2, 3, stops: true),
        Course(20, (moment, step) => moment with { Entropy = step % 2 == 0 ? 1 : double.NaN }));

    [Fact]
    public void Length_that_explodes_is_noticed() =>
        Rings(new LengthExplosion(2, 2, stops: false), Course(20, (moment, step) => moment with { MeanTokens = step < 8 ? 50 : 120 }), 9);

    [Fact]
    public void Truncation_is_noticed() =>
        Rings(new TruncationAlarm(0.6, 2, stops: false), Course(10, (moment, step) => moment with { Truncated = step < 5 ? 0.2 : 0.9 }), 6);

    [Fact]
    public void Dead_groups_are_noticed() =>
        Rings(new DeadGroupsAlarm(0.9, 2, stops: false), Course(10, (moment, step) => moment with { DeadGroups = step < 5 ? 0.5 : 1 }), 6);

    [Theory]
    [InlineData(0.9, 6)]
    [InlineData(0.5, 0)]
    public void A_reward_that_rises_without_the_held_out_score_is_noticed(double rewardAfter, int rings)
    {
        var course =
            Course(10, (moment, step) =>
                moment with { Reward = step < 5 ? 0.5 : rewardAfter, HeldOut = step % 2 == 0 ? (step == 2 ? 0.7 : 0.6) : double.NaN });
        var alarm = new RewardWithoutGain(0.1, looks: 2, window: 1, stops: false);
        if (rings > 0) Rings(alarm, course, rings);
        else Silent(alarm, course);
    }

    [Fact]
    public void A_reward_that_rises_with_the_held_out_score_is_none() =>
        Silent(new RewardWithoutGain(0.1, 2, 1, stops: false),
        Course(10, (moment, step) => moment with { Reward = step * 0.1, HeldOut = step * 0.1 }));

    [Fact]
    public void Patience_ends_where_the_best_score_is_not_bettered()
    {
        var alarm = new HeldOutPatience(3);
        Rings(alarm, Course(12, (moment, step) => moment with { HeldOut = step == 4 ? 0.8 : 0.5 }), 7);
        Silent(alarm, Course(12, (moment, step) => moment with { HeldOut = 0.5 + 0.01 * step }));
        alarm.Stops.ShouldBeTrue();
    }

    [Theory]
    [InlineData(double.NaN, 1, 0.5)]
    [InlineData(double.PositiveInfinity, 1, 0.5)]
    [InlineData(1, double.PositiveInfinity, 0.5)]
    [InlineData(1, 1, double.NaN)]
    public void What_is_not_finite_is_noticed(double norm, double entropy, double reward) =>
        Rings(new NotFiniteAlarm(),
        Course(6, (moment, step) => step == 4 ? moment with { GradientNorm = norm, Entropy = entropy, Reward = reward } : moment), 4);

    [Fact]
    public void Sound_training_is_silent()
    {
        var course = Course(30, (moment, step) => moment with { HeldOut = 0.5 + 0.01 * step });
        foreach (var alarm in (IAlarm[])
            [new EntropyCollapse(0.2, 3, true), new LengthExplosion(2, 3, true), new TruncationAlarm(0.5, 3, true),
                new DeadGroupsAlarm(0.9, 3, true), new NotFiniteAlarm()])
            Silent(alarm, course);
    }

    private static void Rings(IAlarm alarm, List<TrainingMoment> course, int step)
    {
        var finding = AlarmList.Over([alarm], course).ShouldHaveSingleItem();
        finding.Step.ShouldBe(step);
        finding.Alarm.ShouldBe(alarm.Name);
        finding.Stops.ShouldBe(alarm.Stops);
        finding.Message.ShouldNotBeEmpty();
    }

    private static void Silent(IAlarm alarm, List<TrainingMoment> course) => AlarmList.Over([alarm], course).ShouldBeEmpty(alarm.Name);

    private static List<TrainingMoment> Course(int steps, Func<TrainingMoment, int, TrainingMoment> change) =>
        [.. Enumerable.Range(1, steps).Select(step => change(Sound with { Step = step }, step))];
}
