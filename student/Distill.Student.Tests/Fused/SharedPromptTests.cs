using Distill.Student.Autograd;
using Distill.Student.Model;
using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Fused;

/// <summary>Completions of one prompt read it once; nothing else changes.</summary>
public sealed class SharedPromptTests
{
    private static readonly DecoderArchitecture Base = TinyDecoder.Architecture();

    [Theory]
    [InlineData(null, 1)]
    [InlineData(null, 2)]
    [InlineData(1, 1)]
    [InlineData(7, 2)]
    [InlineData(16, 1)]
    [InlineData(40, 1)]
    public void Gradients_are_those_of_sequences_that_are_read_one_by_one(int? window, int replicas)
    {
        var architecture =
            Base with { SlidingWindow = window, WindowLayers = window is null ? LayerSet.None : LayerSet.From(0, Base.Layers) };
        using var parameters = TinyDecoder.Parameters(architecture);
        var sequences = Groups();
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        using var alone = new ReferenceGradientModel(parameters);
        using var together = new FusedGradientModel(parameters, MatmulPrecision.Fp32, replicas, capacity: 512);

        double expected = alone.Differentiate(sequences, loss).Loss;
        together.Differentiate(sequences, loss).Loss.ShouldBe(expected, 1e-5);
        Vectors.RelativeDifference(together.Gradient.Host(), alone.Gradient.Host()).ShouldBeLessThan(1e-5);
        using var padded = new AutogradGradientModel(parameters, options: new AutogradOptions(replicas == 1 ? 512 : 100));
        padded.Differentiate(sequences, loss).Loss.ShouldBe(expected, 1e-5);
        Vectors.RelativeDifference(padded.Gradient.Host(), alone.Gradient.Host()).ShouldBeLessThan(1e-5);
    }

    [Fact]
    public void Scores_come_back_in_the_order_given()
    {
        using var parameters = TinyDecoder.Parameters(Base);
        var sequences = Groups();
        using var alone = new ReferenceGradientModel(parameters);
        using var together = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, capacity: 128);
        var expected = alone.Score(sequences);
        var actual = together.Score(sequences);
        for (int i = 0; i < sequences.Count; i++)
            actual[i].Zip(expected[i], (a, b) => Math.Abs(a - b)).Max().ShouldBeLessThan(1e-4f, $"sequence {i}");
    }

    [Fact]
    public void A_prompt_is_laid_once_and_each_completion_continues_it()
    {
        var batch = new TokenBatch([new([1, 2, 3, 4, 5], 2), new([9, 8, 7], 1), new([1, 2, 6], 2), new([1, 2, 7, 8], 2)]);
        batch.Tokens.ShouldBe([1, 2, 3, 4, 9, 8, 7]); // the second completion's only token is predicted from the prompt
        batch.Positions.ShouldBe([0, 1, 2, 3, 0, 1, 2]);
        batch.Targets.ShouldBe([3, 4, 5, 8, 7, 6, 7, 8]);
        batch.PredictedFrom.ShouldBe([1, 2, 3, 4, 5, 1, 1, 6]);
        batch.SupervisedStarts.ShouldBe([0, 3, 5, 6, 8]);
        batch.Segments.ShouldBe([new(0, 2, 0, 0), new(2, 2, 2, 0), new(4, 2, 0, 0), new(6, 1, 2, 0)]);
    }

    [Fact]
    public void Micro_batches_hold_every_sequence_once_and_stay_within_their_capacity()
    {
        var sequences = Groups();
        var parts = new BatchDistribution(2, 96, 96).Parts(sequences);
        parts.SelectMany(batches => batches).SelectMany(batch => batch.Sequences).ShouldBe(sequences, ignoreOrder: true);
        foreach (var batch in parts.SelectMany(batches => batches)) batch.Tokens.Length.ShouldBeLessThanOrEqualTo(96);
        double[] loads = [.. parts.Select(batches => batches.Sum(batch => (double)batch.Tokens.Length))];
        loads.Max().ShouldBeLessThan(1.25 * loads.Min());
    }

    // Three prompts with several completions each, among them one of a single token, and two sequences with prompts of their own.
    private static List<TrainingSequence> Groups()
    {
        int state = 1;
        int[] Drawn(int count) => [.. Enumerable.Range(0, count).Select(_ => (state = (state * 75 + 74) % 65537) % Base.VocabularySize)];
        var sequences = new List<TrainingSequence>();
        foreach (var (prompt, completions) in new (
            int, int[])[] { (20, [10, 1, 31]), (33, [5, 40]), (3, [12]), (1, [30, 17, 2, 9]), (50, [20]) })
        {
            int[] shared = Drawn(prompt);
            sequences.AddRange(completions.Select(completion => new TrainingSequence([.. shared, .. Drawn(completion)], prompt)));
        }

        return [.. sequences.OrderBy(sequence => sequence.Tokens.Count)];
    }
}
