using Distill.Student.Preference;

namespace Distill.Student.Tests.Preference;

/// <summary>
/// What the golden cases do not reach: thresholds of earlier steps, certainty, and slopes of every loss against differences.
/// </summary>
public sealed class PreferenceLossTests
{
    private static readonly ScoredPair[] Pairs =
    [
        new(new(-12.5, -12.1, 9), new(-7.25, -7.9, 5)),
        new(new(-3.75, -3.1, 4), new(-6.75, -6.2, 6)),
        new(new(-20.25, -21.4, 15), new(-18.5, -18.6, 11)),
    ];

    public static TheoryData<string> Losses => [.. PreferenceLosses.All.Select(kind => kind.Name)];

    [Theory, MemberData(nameof(Losses))]
    public void Slopes_are_the_differences_of_the_value(string name)
    {
        var loss = PreferenceLosses.Get(name)
            .Create(new PreferenceLossOptions { Beta = 0.3, UndesirableWeight = 1.5, DesirableWeight = 0.7 });
        var slopes = new PairSlopes[Pairs.Length];
        loss.Evaluate(Batch(Pairs), slopes);
        for (int i = 0; i < Pairs.Length; i++)
        {
            int pair = i;
            slopes[i].Chosen.ShouldBe(Difference(loss, step => Moved(pair, step, 0)), 1e-7);
            slopes[i].Rejected.ShouldBe(Difference(loss, step => Moved(pair, 0, step)), 1e-7);
        }
    }

    [Theory, MemberData(nameof(Losses))]
    public void Pairs_however_extreme_have_finite_values_and_slopes(string name)
    {
        var loss = PreferenceLosses.Get(name).Create(new PreferenceLossOptions());
        ScoredPair[] extreme = [new(new(0, -2000, 3), new(-9000, -1, 700)), new(new(-9000, 0, 700), new(0, -2000, 3))];
        var slopes = new PairSlopes[2];
        double.IsFinite(loss.Evaluate(Batch(extreme), slopes)).ShouldBeTrue();
        slopes.ShouldAllBe(slope => double.IsFinite(slope.Chosen) && double.IsFinite(slope.Rejected));
    }

    [Fact]
    public void The_classifier_takes_its_threshold_from_earlier_steps()
    {
        var loss = PreferenceLosses.Get("bco_pair").Create(new PreferenceLossOptions { Beta = 1 });
        ScoredPair[] even = [new(new(-1, -3, 1), new(-3, -5, 1))]; // both rewards are 2
        double At(double mean) => loss.Evaluate(new PreferenceBatch(even) { Earlier = new RewardMean(8, mean) }, new PairSlopes[1]);
        At(2).ShouldBe(2 * Math.Log(2), 1e-12);
        At(0).ShouldBeGreaterThan(At(2));
        new RewardMean(2, 1).With([4, 4]).ShouldBe(new RewardMean(4, 2.5));
    }

    [Fact]
    public void An_unknown_loss_is_named() =>
        Should.Throw<ArgumentException>(() => PreferenceLosses.Get("dpo")).Message.ShouldContain("sigmoid");

    private static PreferenceBatch Batch(ScoredPair[] pairs) =>
        new(pairs) { UnrelatedLogRatios = [0.2, 0.4], Earlier = new RewardMean(4, 0.1) };

    private static ScoredPair[] Moved(int index, double chosen, double rejected) =>
        [.. Pairs.Select((pair, i) => i != index ? pair : new ScoredPair(
            pair.Chosen with { LogProbability = pair.Chosen.LogProbability + chosen },
            pair.Rejected with { LogProbability = pair.Rejected.LogProbability + rejected }))];

    private static double Difference(IPreferenceLoss loss, Func<double, ScoredPair[]> moved) =>
        (loss.Evaluate(Batch(moved(1e-5)), new PairSlopes[Pairs.Length]) - loss.Evaluate(
            Batch(moved(-1e-5)), new PairSlopes[Pairs.Length])) / 2e-5;
}
