using Distill.Student.Reinforcement;
using Distill.Student.Training;

namespace Distill.Student.Tests.Reinforcement;

/// <summary>Which look at the held-out problems is the best.</summary>
public sealed class PolicyScoreTests
{
    private static readonly PolicyScore Start = new(Sampled: 0.538, Greedy: 0.648);

    [Theory]
    [InlineData(0.601, 0.660, true)] // both rose
    [InlineData(0.601, 0.648, true)] // one rose, the other stayed
    [InlineData(0.538, 0.660, true)]
    [InlineData(0.530, 0.670, true)] // greedy rose by more than sampled fell
    [InlineData(0.530, 0.655, false)] // and by less
    [InlineData(0.552, 0.640, true)] // greedy fell by less than can be told, and less than sampled rose
    [InlineData(0.543, 0.640, false)] // and more
    [InlineData(0.900, 0.638, false)] // greedy accuracy is not sold
    [InlineData(0.538, 0.648, false)] // the start stays, where nothing is better
    [InlineData(0.500, 0.600, false)]
    public void Weights_are_taken_for_a_better_mean_if_greedy_answers_are_no_point_worse(double sampled, double greedy, bool taken) =>
        new PolicyScore(sampled, greedy).IsBetterThan(Start, Start).ShouldBe(taken);

    [Theory]
    [InlineData(0.61, 0.66, true)]
    [InlineData(0.59, 0.68, true)] // greedy counts as much as sampled
    [InlineData(0.70, 0.63, false)] // a point below the start, though not by the mean
    [InlineData(0.60, 0.66, false)] // equals leave the earlier ones
    [InlineData(0.61, 0.65, false)] // equal by the mean, up to rounding
    public void Later_looks_are_held_against_the_best_so_far(double sampled, double greedy, bool taken) =>
        new PolicyScore(sampled, greedy).IsBetterThan(new PolicyScore(0.60, 0.66), Start).ShouldBe(taken);

    [Fact]
    public void A_look_that_may_not_be_taken_is_worth_no_more_than_the_start()
    {
        new PolicyScore(0.9, 0.6).Worth(Start).ShouldBe(Start.Mean);
        new PolicyScore(0.1, 0.6).Worth(Start).ShouldBe(0.35);
        new PolicyScore(0.9, 0.7).Worth(Start).ShouldBe(0.8);
    }

    // States that were written before the option existed stay those of their training.
    [Fact]
    public void Options_at_their_default_add_nothing_to_the_digest_of_a_training()
    {
        string Digest(GroupRelativeOptions? options)
        {
            using var digest = new TrainingDigest();
            options?.AddTo(digest);
            return digest.Finish();
        }

        Digest(new GroupRelativeOptions()).ShouldBe(Digest(null));
        Digest(new GroupRelativeOptions { WeightAverage = 0.9 }).ShouldNotBe(Digest(null));
        Digest(new GroupRelativeOptions { WeightAverage = 0.9 }).ShouldNotBe(Digest(new GroupRelativeOptions { WeightAverage = 0.8 }));
    }
}
