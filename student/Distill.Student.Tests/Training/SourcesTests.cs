using Distill.Student.Training;

namespace Distill.Student.Tests.Training;

public sealed class SourcesTests
{
    [Fact]
    public void Every_epoch_holds_every_example_once_in_another_order()
    {
        var examples = Enumerable.Range(1, 37).Select(i => new TrainingSequence([.. Enumerable.Repeat(i, 3 + i % 5)], 1)).ToList();
        var source = new EpochSource(examples, epochs: 3, batchTokens: 30, seed: 9);
        var seen = Enumerable.Range(0, source.Steps).SelectMany(source.At).Select(sequence => sequence.Tokens[0]).ToList();
        seen.Count.ShouldBe(3 * 37);
        var epochs = seen.Chunk(37).ToList();
        foreach (int[] epoch in epochs) epoch.Order().ShouldBe(Enumerable.Range(1, 37));
        epochs[0].ShouldNotBe(epochs[1]);
    }

    [Fact]
    public void A_permutation_depends_on_its_seed_alone()
    {
        Permutation.Of(100, 5).ShouldBe(Permutation.Of(100, 5));
        Permutation.Of(100, 5).ShouldNotBe(Permutation.Of(100, 6));
        Permutation.Of(100, 5).Order().ShouldBe(Enumerable.Range(0, 100));
    }

    [Fact]
    public void A_sequence_that_supervises_nothing_is_refused() =>
        Should.Throw<ArgumentException>(() => new TokenBatch([new TrainingSequence([1, 2, 3], 3)]));

    [Theory]
    [InlineData(Decay.Constant, 0.9, 1.0)]
    [InlineData(Decay.Linear, 0.6, 0.5)]
    [InlineData(Decay.Cosine, 0.6, 0.5)]
    [InlineData(Decay.WarmupStableDecay, 0.5, 1.0)]
    [InlineData(Decay.WarmupStableDecay, 0.85, 0.5)]
    public void Schedules_fall_as_named(Decay decay, double progress, double share) =>
        new LearningRateSchedule(2, decay, WarmupShare: 0.2, DecayShare: 0.3).At(progress).ShouldBe(2 * share, 1e-9);
}
