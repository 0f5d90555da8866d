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
    [InlineData(Decay.Trapezoid, 0.5, 1.0)]
    [InlineData(Decay.Trapezoid, 0.85, 0.5)]
    public void Schedules_fall_as_named(Decay decay, double progress, double share) =>
        new LearningRateSchedule(2, decay, WarmupShare: 0.2, DecayShare: 0.3).At(progress).ShouldBe(2 * share, 1e-9);

    [Fact]
    public void A_warm_up_in_steps_moves_at_the_first_and_a_floor_is_where_the_decay_ends()
    {
        var schedule = new LearningRateSchedule(2, Decay.Cosine) { WarmupSteps = 4, Floor = 0.1 };
        double[] rates = [.. Enumerable.Range(0, 20).Select(step => schedule.At(step, 20))];
        rates[..5].ShouldBe([0.5, 1, 1.5, 2, 2]);
        rates[12].ShouldBe(1.1, 1e-12); // half way down
        rates[19].ShouldBe(2 * (0.1 + (0.9 * 0.5 * (1 + Math.Cos(Math.PI * 15 / 16)))), 1e-12);
        new LearningRateSchedule(2, Decay.Linear, WarmupShare: 0) { Floor = 0.5 }.At(0.5).ShouldBe(1.5, 1e-12);
        new LearningRateSchedule(2, Decay.Linear).At(3, 20).ShouldBe(new LearningRateSchedule(2, Decay.Linear).At(3 / 20.0));
    }
}
