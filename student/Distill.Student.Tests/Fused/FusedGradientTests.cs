using Distill.Student.Model;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using TorchSharp;

namespace Distill.Student.Tests.Fused;

public sealed class FusedGradientTests
{
    [Theory]
    [InlineData(true, true, 1)]
    [InlineData(true, true, 2)]
    [InlineData(false, true, 1)]
    [InlineData(true, false, 2)]
    public void Fused_passes_give_the_loss_and_gradient_of_autograd(bool queryKeyNorm, bool tied, int replicas)
    {
        var architecture = TinyDecoder.Architecture(queryKeyNorm, tied);
        using var parameters = TinyDecoder.Parameters(architecture);
        var sequences = TinyDecoder.Sequences(architecture, 5, 17, 33, 64, 70, 2, 100);
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        using var reference = new ReferenceGradientModel(parameters);
        using var fused = new FusedGradientModel(parameters, MatmulPrecision.Fp32, replicas, capacity: 128);

        var expected = reference.Differentiate(sequences, loss);
        var actual = fused.Differentiate(sequences, loss);

        actual.Loss.ShouldBe(expected.Loss, 1e-5);
        actual.MeanEntropy.ShouldBe(expected.MeanEntropy, 1e-5);
        actual.Accuracy.ShouldBe(expected.Accuracy);
        fused.Differentiate(sequences, new SupervisedLossOptions().ToLoss(1, 1)).Accuracy.ShouldBe(expected.Accuracy);
        reference.Differentiate(sequences, new SupervisedLossOptions().ToLoss(1, 1)).Accuracy.ShouldBe(expected.Accuracy);
        fused.Differentiate(sequences, loss);
        reference.Differentiate(sequences, loss);
        foreach (var (name, offset, spec) in parameters.Places)
        {
            var want = reference.Gradient.Host().Slice((int)offset, (int)spec.Count);
            var have = fused.Gradient.Host().Slice((int)offset, (int)spec.Count);
            Vectors.RelativeDifference(have, want).ShouldBeLessThan(2e-5, name);
        }
    }

    [Fact]
    public void Bf16_products_stay_close_to_fp32()
    {
        var architecture = TinyDecoder.Architecture();
        using var parameters = TinyDecoder.Parameters(architecture);
        var sequences = TinyDecoder.Sequences(architecture, 40, 50, 60);
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        using var exact = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, 128);
        using var rounded = new FusedGradientModel(parameters, MatmulPrecision.Mixed, 1, 128);

        double expected = exact.Differentiate(sequences, loss).Loss;
        rounded.Differentiate(sequences, loss).Loss.ShouldBe(expected, 0.02);
        Vectors.RelativeDifference(rounded.Gradient.Host(), exact.Gradient.Host()).ShouldBeLessThan(0.03);
    }

    // Products are made of whole sixteens of rows, and biases add up all of them: what a longer micro-batch left behind the tokens of a
    // shorter one must not count, be it no numbers at all. And a model's first products are split among no more threads than later ones.
    [Theory, InlineData(MatmulPrecision.Fp32, 1), InlineData(MatmulPrecision.Mixed, 1), InlineData(MatmulPrecision.Mixed, 2)]
    public void What_an_earlier_micro_batch_left_behind_changes_no_bit(MatmulPrecision precision, int replicas)
    {
        var architecture = TinyDecoder.Architecture() with { AttentionBias = true, AttentionOutputBias = true, FeedForwardBias = true };
        using var parameters = TinyDecoder.Parameters(architecture);
        float[] sound = parameters.Span.ToArray();
        using var used = new FusedGradientModel(parameters, precision, replicas, 128);
        for (int length = 2; length <= 34; length++)
        {
            parameters.Span.Fill(float.NaN);
            used.Differentiate(TinyDecoder.Sequences(architecture, 100, 25, 100, 25), new CrossEntropy(1));
            sound.CopyTo(parameters.Span);
            var sequences = TinyDecoder.Sequences(architecture, length, length);
            var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
            using var fresh = new FusedGradientModel(parameters, precision, replicas, 128);
            used.Differentiate(sequences, loss).Loss.ShouldBe(fresh.Differentiate(sequences, loss).Loss, $"{length}");
            used.Gradient.Host().SequenceEqual(fresh.Gradient.Host()).ShouldBeTrue($"{length}");
            float.IsFinite(used.Gradient.Host()[0]).ShouldBeTrue();
        }
    }

    [Fact]
    public void Splitting_a_step_into_micro_batches_changes_nothing_beyond_rounding()
    {
        var architecture = TinyDecoder.Architecture();
        using var parameters = TinyDecoder.Parameters(architecture);
        var sequences = TinyDecoder.Sequences(architecture, 30, 40, 50, 20, 10);
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        using var whole = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, 256);
        using var split = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, 60);

        double expected = whole.Differentiate(sequences, loss).Loss;
        split.Differentiate(sequences, loss).Loss.ShouldBe(expected, 1e-6);
        Vectors.RelativeDifference(split.Gradient.Host(), whole.Gradient.Host()).ShouldBeLessThan(1e-5);
    }

    [Fact]
    public void Entropies_are_those_of_the_reference_and_average_to_the_one_of_a_pass()
    {
        var architecture = TinyDecoder.Architecture();
        using var parameters = TinyDecoder.Parameters(architecture);
        var sequences = TinyDecoder.Sequences(architecture, 12, 50, 31, 7);
        using var reference = new ReferenceGradientModel(parameters);
        using var fused = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, 64);

        var expected = reference.Entropies(sequences);
        var actual = fused.Entropies(sequences);

        for (int i = 0; i < sequences.Count; i++)
        {
            actual[i].Length.ShouldBe(sequences[i].SupervisedCount);
            for (int k = 0; k < actual[i].Length; k++) actual[i][k].ShouldBe(expected[i][k], 1e-4f);
        }

        long learned = sequences.Sum(sequence => sequence.SupervisedCount);
        actual.SelectMany(values => values).Average()
            .ShouldBe((float)fused.Differentiate(sequences, new CrossEntropy(learned)).MeanEntropy, 1e-5f);
    }

    [Fact]
    public void Scores_are_the_log_probabilities_of_the_reference_in_the_order_given()
    {
        var architecture = TinyDecoder.Architecture();
        using var parameters = TinyDecoder.Parameters(architecture);
        var sequences = TinyDecoder.Sequences(architecture, 12, 50, 31, 7);
        using var reference = new ReferenceGradientModel(parameters);
        using var fused = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, 64);

        var expected = reference.Score(sequences);
        var actual = fused.Score(sequences);

        for (int i = 0; i < sequences.Count; i++)
        {
            actual[i].Length.ShouldBe(sequences[i].SupervisedCount);
            for (int j = 0; j < actual[i].Length; j++) actual[i][j].ShouldBe(expected[i][j], 1e-4f);
        }
    }

    // The parity gate of a run that was continued after its training said other last digits than that of one that was not interrupted.
    [Fact]
    public void What_comes_after_a_training_computes_as_if_there_had_been_none()
    {
        int usual = torch.get_num_threads();
        torch.set_num_threads(3);
        try
        {
            using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
            var first = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, 64);
            var second = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, 64);
            first.Dispose();
            torch.get_num_threads().ShouldBe(1);
            second.Dispose();
            torch.get_num_threads().ShouldBe(3);
        }
        finally
        {
            torch.set_num_threads(usual);
        }
    }
}
