using Distill.Student.Model;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Losses;

public sealed class RowLossTests
{
    private static readonly SupervisedLossOptions Everything = new()
    {
        Average = TokenAverage.Sequence,
        Rectified = true,
        LabelSmoothing = 0.2,
        PartitionWeight = 0.01,
        EntropyBonus = 0.1,
    };

    public static TheoryData<SupervisedLossOptions> Options =>
        [new SupervisedLossOptions(), new SupervisedLossOptions { LabelSmoothing = 0.3 }, new SupervisedLossOptions { EntropyBonus = 0.5 },
        Everything];

    [Theory, MemberData(nameof(Options))]
    public void Fused_and_autograd_passes_agree(SupervisedLossOptions options)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 5, 17, 33);
        var loss = options.ToLoss(sequences.Sum(sequence => sequence.SupervisedCount), sequences.Count);
        using var reference = new ReferenceGradientModel(parameters);
        using var fused = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, 128);
        fused.Differentiate(sequences, loss).Loss.ShouldBe(reference.Differentiate(sequences, loss).Loss, 1e-5);
        Vectors.RelativeDifference(fused.Gradient.Host(), reference.Gradient.Host()).ShouldBeLessThan(2e-5);
    }

    [Fact]
    public void Without_options_it_is_cross_entropy()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 20, 40);
        long learned = sequences.Sum(sequence => sequence.SupervisedCount);
        using var model = new FusedGradientModel(parameters, MatmulPrecision.Fp32, 1, 128);
        double expected = model.Differentiate(sequences, new CrossEntropy(learned)).Loss;
        float[] gradient = model.Gradient.Host().ToArray();
        model.Differentiate(sequences, new SupervisedLossOptions().ToLoss(learned, sequences.Count)).Loss.ShouldBe(expected, 1e-6);
        Vectors.RelativeDifference(model.Gradient.Host(), gradient).ShouldBeLessThan(1e-5);
    }

    // Everything but the weight that is held fixed.
    [Fact]
    public void Gradients_are_the_slopes_of_the_value()
    {
        var sequence = new TrainingSequence([7, 2, 0, 4], 1);
        var loss = (Everything with { Rectified = false }).ToLoss(100, 3);
        float[] logits = [1.2f, -0.4f, 0.3f, 2.1f, -1.7f], gradient = new float[5], ignored = new float[5];
        loss.Evaluate(sequence, 2, logits, gradient);
        for (int i = 0; i < logits.Length; i++)
        {
            float[] up = [.. logits], down = [.. logits];
            up[i] += 1e-2f;
            down[i] -= 1e-2f;
            double slope =
                (loss.Evaluate(sequence, 2, up, ignored) - loss.Evaluate(sequence, 2, down, ignored)) / ((double)up[i] - down[i]);
            ((double)gradient[i]).ShouldBe(slope, 1e-5);
        }
    }
}
