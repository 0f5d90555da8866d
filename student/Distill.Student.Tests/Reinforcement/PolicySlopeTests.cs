using Distill.Data.Problems;
using Distill.Verification;
using Distill.Generation;
using Distill.Student.Reinforcement;
using Distill.Student.Training;

namespace Distill.Student.Tests.Reinforcement;

/// <summary>Whatever a recipe can combine: the derivatives that a policy loss gives are the slopes of the value that it gives.</summary>
public sealed class PolicySlopeTests
{
    private static readonly Problem AnyProblem = new("x", "arithmetic", "arithmetic", Split.Train, 1, "1 + 1", "2", null, "1+1");

    public static MatrixTheoryData<RatioLevel, PolicyAggregation, bool, bool, bool> Combinations =>
        new(Enum.GetValues<RatioLevel>(), Enum.GetValues<PolicyAggregation>(), [false, true], [false, true], [false, true]);

    [Theory, MemberData(nameof(Combinations))]
    public void Derivatives_are_the_slopes_of_the_loss(
        RatioLevel level, PolicyAggregation aggregation, bool gated, bool corrected, bool uncertainOnly)
    {
        IPolicySurrogate surrogate = gated ? new SoftGateSurrogate(1, 1.5) : new ClippedSurrogate(0.9, 9);
        var loss = new PolicyLoss(
            surrogate, level, new PolicyDivisor(aggregation, 6, 2, 8), new ReferenceTerm(0.3, corrected), uncertainOnly ? 1
            : double.NegativeInfinity);
        var (batch, current) = Example();
        float[] derivatives = new float[current.Length], ignored = new float[current.Length];
        loss.Evaluate(batch, current, derivatives);
        for (int i = 0; i < current.Length; i++)
        {
            float[] up = [.. current], down = [.. current];
            up[i] += 1e-3f;
            down[i] -= 1e-3f;
            double slope = (loss.Evaluate(batch, up, ignored) - loss.Evaluate(batch, down, ignored)) / ((double)up[i] - down[i]);
            ((double)derivatives[i]).ShouldBe(slope, 1e-4 * Math.Max(1, Math.Abs(slope)), $"token {i}");
        }
    }

    [Fact]
    public void A_weight_that_is_held_fixed_has_the_weighted_slope_of_the_logarithm()
    {
        var (batch, current) = Example();
        float[] derivatives = new float[current.Length];
        new PolicyLoss(
            new GammaWeightSurrogate(new GammaWeight(2, 3), new GammaWeight(3, 2)), RatioLevel.Product,
            new PolicyDivisor(PolicyAggregation.SequenceSum, 6, 1, 8))
            .Evaluate(batch, current, derivatives);
        double first = 1.5 * 0.9, second = 0.5 * 1.1 * 1.0 * 1.3;
        derivatives[..2].ShouldAllBe(slope => Math.Abs(slope + Math.Exp(3 * (1 - first)) * first * first) < 1e-5);
        derivatives[2..].ShouldAllBe(slope => Math.Abs(slope - Math.Exp(2 * (1 - second)) * Math.Pow(second, 3)) < 1e-5);
    }

    [Fact]
    public void Ratios_beyond_all_measure_weigh_nothing_and_break_nothing()
    {
        foreach (double ratio in (double[])[0, 1e-300, 1e300, double.PositiveInfinity])
        {
            new GammaWeight(2, 3).At(ratio).ShouldBe(0, 1e-10);
            foreach (double advantage in (double[])[-1, 1])
            {
                var (value, slope, _) = new SoftGateSurrogate().Of(ratio, advantage, -1);
                double.IsFinite(value).ShouldBeTrue();
                slope.ShouldBe(0, 1e-10);
            }
        }
    }

    [Theory]
    [InlineData(0.2, 0.84)]
    [InlineData(0.5, 0.6)]
    [InlineData(1, 0.2)]
    public void The_floor_is_an_interpolated_quantile(double share, double expected) =>
        EntropyFloor.Of([1f, 0.2f, 0.8f, 0.6f, 0.4f], share).ShouldBe(expected, 1e-6);

    private static (TokenBatch Batch, float[] LogProbabilities) Example()
    {
        double[][] ratios = [[1.5, 0.9], [0.5, 1.1, 1.0, 1.3]];
        float[] sampled = [-0.5f, -1f, -2f, -0.25f], reference = [-0.4f, -1.5f, -1.8f, -0.3f], entropies = [1.2f, 0.4f, 1.1f, 0.9f];
        var rollouts = ratios.Select((row, index) => new Rollout(
            [7, .. Enumerable.Range(10, row.Length)], 1, AnyProblem,
            new Completion([.. Enumerable.Range(10, row.Length)], sampled[..row.Length], StopReason.StopToken, 1), Verdict.Correct, 1)
        {
            Advantage = index == 0 ? 1 : -1,
            ReferenceLogProbabilities = reference[..row.Length],
            Entropies = entropies[..row.Length],
        });
        float[] current = [.. ratios.SelectMany(row => row.Select((ratio, i) => sampled[i] + (float)Math.Log(ratio)))];
        return (new TokenBatch([.. rollouts]), current);
    }
}
