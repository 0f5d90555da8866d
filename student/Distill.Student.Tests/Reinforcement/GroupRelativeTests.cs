using Distill.Data.Problems;
using Distill.Verification;
using Distill.Generation;
using Distill.Student.Reinforcement;
using Distill.Student.Training;

namespace Distill.Student.Tests.Reinforcement;

public sealed class GroupRelativeTests
{
    private static readonly Problem AnyProblem = new("x", "arithmetic", "arithmetic", Split.Train, 1, "1 + 1", "2", null, "1+1");

    [Fact]
    public void Advantages_are_those_of_TRL()
    {
        double[] advantages = GroupAdvantage.Of([[1, 0, 0, 0]], AdvantageScale.Group)[0];
        advantages[0].ShouldBe(1.4997, 1e-4);
        advantages[1].ShouldBe(-0.4999, 1e-4);
        GroupAdvantage.Of([[1, 0, 0, 0]], AdvantageScale.None)[0].ShouldBe([0.75, -0.25, -0.25, -0.25]);
    }

    [Theory]
    [InlineData(new[] { 1.0, 1, 1 })]
    [InlineData(new[] { 1.0 })]
    public void Groups_that_agree_teach_nothing(double[] rewards) =>
        GroupAdvantage.Of([rewards], AdvantageScale.Group)[0].ShouldAllBe(advantage => advantage == 0);

    // A = [1, −1], ρ = [[1.5, .9], [.5, 1.1, 1.0, 1.3]]: token losses [−1.2, −.9], [.8, 1.1, 1.0, 1.3] at ε = 0.2; the sum over six tokens
    // is 0.35, and 0.336667 with an upper bound of 0.28.
    [Theory]
    [InlineData(0.2, 0.35 / 1, 0.0)]
    [InlineData(0.28, 0.336667, -1.28)]
    public void The_clipped_loss_has_the_values_of_the_reference(double clipHigh, double expected, double firstTokenLoss)
    {
        var (batch, logProbabilities) = Example();
        float[] derivatives = new float[6];
        double loss = Clipped(clipHigh).Evaluate(batch, logProbabilities, derivatives);
        loss.ShouldBe(expected, 1e-5);
        if (firstTokenLoss != 0) derivatives[0].ShouldBe(0); // 1.5 lies beyond the bound and the advantage is positive: no slope
        derivatives[1].ShouldBe(-0.9f / 6, 1e-5f);
        derivatives[2].ShouldBe(0);                          // .5 lies below the bound and the advantage is negative
        derivatives[5].ShouldBe(1.3f / 6, 1e-5f);            // beyond the bound, but the pessimistic side keeps its slope
    }

    // Two completions of 2 and 4 tokens, as good as each other, at ratios of 1: a token's slope is its weight.
    [Theory]
    [InlineData(PolicyAggregation.Token, 1.0 / 6, 1.0 / 6)]
    [InlineData(PolicyAggregation.Sequence, 1.0 / (2 * 2), 1.0 / (4 * 2))]
    [InlineData(PolicyAggregation.TokenLimit, 1.0 / (8 * 2), 1.0 / (8 * 2))]
    [InlineData(PolicyAggregation.SequenceSum, 1.0 / 2, 1.0 / 2)]
    public void Lengths_weigh_as_the_aggregation_says(PolicyAggregation aggregation, double ofShort, double ofLong)
    {
        var (batch, _) = Example();
        batch = new TokenBatch([.. batch.Sequences.Cast<Rollout>().Select(rollout => rollout with { Advantage = 1 })]);
        float[] sampled = [.. batch.Sequences.Cast<Rollout>().SelectMany(rollout => rollout.Completion.LogProbabilities)];
        float[] derivatives = new float[6];
        new PolicyLoss(new ClippedSurrogate(0.2, 0.28), RatioLevel.Token, new PolicyDivisor(aggregation, 6, 2, 8))
            .Evaluate(batch, sampled, derivatives);
        derivatives[..2].ShouldAllBe(slope => Math.Abs(slope + ofShort) < 1e-6);
        derivatives[2..].ShouldAllBe(slope => Math.Abs(slope + ofLong) < 1e-6);
    }

    // Without an advantage the pull towards the start is all there is: down where a token has become likelier than it was, up where it has
    // become less likely, not at all where it is as it was.
    [Fact]
    public void The_reference_pulls_back_by_its_weight()
    {
        var (batch, _) = Example();
        batch = new TokenBatch([.. batch.Sequences.Cast<Rollout>().Select(
            rollout => rollout with { Advantage = 0, ReferenceLogProbabilities = rollout.Completion.LogProbabilities })]);
        float[] now = [.. batch.Sequences.Cast<Rollout>().SelectMany(rollout => rollout.Completion.LogProbabilities)];
        float[] moves = [0.3f, -0.3f, 0, 0.1f, 0, 0];
        for (int i = 0; i < now.Length; i++) now[i] += moves[i];
        float[] derivatives = new float[6];
        double value = new PolicyLoss(
            new ClippedSurrogate(0.2, 0.28), RatioLevel.Token, new PolicyDivisor(PolicyAggregation.Token, 6, 2, 8), new ReferenceTerm(0.01))
            .Evaluate(batch, now, derivatives);
        value.ShouldBe(moves.Sum(move => 0.01 * (Math.Exp(-move) + move - 1)) / 6, 1e-7);
        for (int i = 0; i < 6; i++) ((double)derivatives[i]).ShouldBe(0.01 * (1 - Math.Exp(-moves[i])) / 6, 1e-7);
    }

    [Fact]
    public void Derivatives_are_the_slopes_of_the_loss()
    {
        var (batch, logProbabilities) = Example();
        var loss = Clipped(0.28);
        float[] derivatives = new float[6], ignored = new float[6];
        loss.Evaluate(batch, logProbabilities, derivatives);
        for (int i = 0; i < 6; i++)
        {
            float[] up = [.. logProbabilities], down = [.. logProbabilities];
            up[i] += 1e-3f;
            down[i] -= 1e-3f;
            double slope = (loss.Evaluate(batch, up, ignored) - loss.Evaluate(batch, down, ignored)) / 2e-3;
            ((double)derivatives[i]).ShouldBe(slope, 1e-3);
        }
    }

    private static PolicyLoss Clipped(double clipHigh) =>
        new(new ClippedSurrogate(0.2, clipHigh), RatioLevel.Token, new PolicyDivisor(PolicyAggregation.Token, 6, 2, 8));

    private static (TokenBatch Batch, float[] LogProbabilities) Example()
    {
        double[][] ratios = [[1.5, 0.9], [0.5, 1.1, 1.0, 1.3]];
        float[] sampled = [-0.5f, -1f, -2f, -0.25f];
        var rollouts = ratios.Select((row, index) => new Rollout(
            [7, .. Enumerable.Range(10, row.Length)], 1, AnyProblem,
            new Completion([.. Enumerable.Range(10, row.Length)], sampled[..row.Length], StopReason.StopToken, 1), Verdict.Correct, 1)
        { Advantage = index == 0 ? 1 : -1 }).ToList();
        float[] current = [.. ratios.SelectMany(row => row.Select((ratio, i) => sampled[i] + (float)Math.Log(ratio)))];
        return (new TokenBatch([.. rollouts]), current);
    }
}
