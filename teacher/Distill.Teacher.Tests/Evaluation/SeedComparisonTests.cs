using Distill.Evaluation.Statistics;

namespace Distill.Teacher.Tests.Evaluation;

public sealed class SeedComparisonTests
{
    // Table of Student's distribution: Abramowitz and Stegun 26.10.
    [Theory]
    [InlineData(1, 12.706205)]
    [InlineData(2, 4.302653)]
    [InlineData(3, 3.182446)]
    [InlineData(4, 2.776445)]
    [InlineData(5, 2.570582)]
    [InlineData(10, 2.228139)]
    [InlineData(30, 2.042272)]
    public void Quantiles_are_those_of_the_tables(int freedom, double quantile)
    {
        StudentT.Quantile975(freedom).ShouldBe(quantile, 1e-5);
        StudentT.TwoSidedP(quantile, freedom).ShouldBe(0.05, 1e-6);
        StudentT.TwoSidedP(-quantile, freedom).ShouldBe(0.05, 1e-6);
        StudentT.TwoSidedP(0, freedom).ShouldBe(1);
    }

    // Means 2 and 5, squares 2 and 2: error √(4/4 · 2/3), t = 3 / 0.8165 = 3.6742 with 4 degrees of freedom.
    [Fact]
    public void Two_groups_are_compared_by_their_own_spread()
    {
        var found = SeedComparison.Of([1, 2, 3], [4, 5, 6]);
        (found.Difference, found.DegreesOfFreedom).ShouldBe((3, 4));
        found.P.ShouldBe(0.0213, 1e-4);
        found.Interval95.Low.ShouldBe(3 - (2.776445 * 0.816497), 1e-4);
        found.Interval95.High.ShouldBe(3 + (2.776445 * 0.816497), 1e-4);
    }

    [Fact]
    public void Groups_without_any_spread_differ_or_are_equal()
    {
        SeedComparison.Of([1, 1, 1], [1, 1, 1]).P.ShouldBe(1);
        SeedComparison.Of([1, 1, 1], [2, 2, 2]).P.ShouldBe(0);
    }

    [Fact]
    public void Two_runs_say_nothing_of_other_seeds() => Should.Throw<ArgumentException>(() => SeedComparison.Of([1, 2], [3, 4, 5]));
}

public sealed class RecoveredShareTests
{
    [Fact]
    public void The_way_is_measured_from_base_to_teacher()
    {
        double[] start = [.. Share(100, 400)], teacher = [.. Share(300, 400)], student = [.. Share(250, 400)];
        var found = RecoveredShare.Of(start, teacher, student, seed: 1)!;
        found.Share.ShouldBe(0.75, 1e-12);
        found.Interval95.Low.ShouldBeInRange(0.65, 0.74);
        found.Interval95.High.ShouldBeInRange(0.76, 0.85);
        RecoveredShare.Of(start, teacher, start, seed: 1)!.ShouldBe(new RecoveredShare(0, new Interval(0, 0)));
        RecoveredShare.Of(start, teacher, teacher, seed: 1)!.Interval95.ShouldBe(new Interval(1, 1));
    }

    [Fact]
    public void Where_the_teacher_is_not_shown_to_be_ahead_there_is_no_way()
    {
        RecoveredShare.Of(Share(300, 400), Share(100, 400), Share(200, 400), seed: 1).ShouldBeNull();
        RecoveredShare.Of([1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], seed: 1).ShouldBeNull();
    }

    private static List<double> Share(int solved, int problems) => [.. Enumerable.Range(0, problems).Select(i => i < solved ? 1.0 : 0)];
}
