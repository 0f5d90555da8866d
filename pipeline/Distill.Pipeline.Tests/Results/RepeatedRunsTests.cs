namespace Distill.Pipeline.Tests.Results;

/// <summary>How often the reports' tests claim a difference, where there is none and where there is one.</summary>
public sealed class RepeatedRunsTests
{
    // More claims than this come from a test that errs in 5 % with a chance below 1 in 1,000: binomial, summed exactly.
    private static readonly int MostClaims = Enumerable.Range(0, RepeatedRuns.Comparisons)
        .First(claims => 1 - AtMost(claims, RepeatedRuns.Comparisons, 0.05) < 0.001);

    [Theory]
    [InlineData(RepeatedRuns.SameStudent)]
    [InlineData(RepeatedRuns.OtherSeed)]
    [InlineData(RepeatedRuns.Groups)]
    public void Where_there_is_no_difference_one_is_claimed_in_five_of_a_hundred_at_most(string kind)
    {
        var claims = RepeatedRuns.Measured[kind];
        foreach (int claimed in (int[])[claims.Greedy, claims.GreedyInterval, claims.Sampled, claims.SampledInterval, claims.Any])
            claimed.ShouldBeLessThanOrEqualTo(MostClaims);
        Math.Abs(claims.Truth).ShouldBeLessThan(0.005);
    }

    [Fact]
    public void Five_points_are_found_in_most()
    {
        var single = RepeatedRuns.Measured[RepeatedRuns.BetterStudent];
        single.Truth.ShouldBe(0.05, 0.005);
        single.Any.ShouldBeGreaterThan(RepeatedRuns.Comparisons / 2);
    }

    // The reason why reports say that they speak of these students, and why recipes are compared over seeds.
    [Fact]
    public void Two_runs_cannot_tell_a_lucky_seed_from_a_better_recipe() =>
        RepeatedRuns.Measured[RepeatedRuns.UnequalSeed].Any.ShouldBeGreaterThan(MostClaims);

    [Fact]
    public void The_bound_is_the_binomials()
    {
        MostClaims.ShouldBeInRange(21, 40);
        AtMost(2, 3, 0.5).ShouldBe(0.875, 1e-12);
    }

    private static double AtMost(int most, int n, double share)
    {
        double sum = 0, log = n * Math.Log(1 - share);
        for (int k = 0; k <= most; k++)
        {
            sum += Math.Exp(log);
            log += Math.Log((double)(n - k) / (k + 1) * share / (1 - share));
        }

        return sum;
    }
}
