using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Tests.Training;

public sealed class MixedPrecisionTests(ITestOutputHelper output)
{
    private const int Steps = 12;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Stochastic_weights_follow_fp32_closer_than_weights_rounded_to_nearest(bool fused)
    {
        double[] exact = Losses(fused, MatmulPrecision.Fp32, 1), stochastic = Losses(fused, MatmulPrecision.Mixed, 1),
            nearest = Losses(fused, MatmulPrecision.Mixed, null);
        double Lag(double[] losses) => losses.Zip(exact, (a, b) => Math.Abs(a - b)).Max();
        output.WriteLine(
            $"fp32 {exact[0]:F4} to {exact[^1]:F4}; largest difference stochastic {Lag(stochastic):F4}, nearest {Lag(nearest):F4}");
        (exact[0] - exact[^1]).ShouldBeGreaterThan(0.05); // it learns something
        Lag(stochastic).ShouldBeLessThan(Lag(nearest) / 3);
    }

    [Fact]
    public void Replicas_do_not_change_the_rounding_and_updates_do()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequence = TinyDecoder.Sequences(parameters.Architecture, 40);
        using var one = new FusedGradientModel(parameters, MatmulPrecision.Mixed, 1, 128, roundingSeed: 3);
        using var two = new FusedGradientModel(parameters, MatmulPrecision.Mixed, 2, 128, roundingSeed: 3);
        using var other = new FusedGradientModel(parameters, MatmulPrecision.Mixed, 1, 128, roundingSeed: 4);
        float[] scores = one.Score(sequence)[0];
        two.Score(sequence)[0].ShouldBe(scores);
        one.Score(sequence)[0].ShouldBe(scores);
        other.Score(sequence)[0].ShouldNotBe(scores);
        _ = new AdamW(parameters, new AdamWOptions()) { Steps = 1 };
        one.Score(sequence)[0].ShouldNotBe(scores);
    }

    [Fact]
    public void Autograd_and_fused_passes_agree_in_mixed_precision()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var sequences = TinyDecoder.Sequences(parameters.Architecture, 40, 50, 60);
        var loss = new CrossEntropy(sequences.Sum(sequence => sequence.SupervisedCount));
        using var fused = new FusedGradientModel(parameters, MatmulPrecision.Mixed, 1, 128);
        using var autograd = new AutogradGradientModel(parameters, MatmulPrecision.Mixed);
        using var exact = new AutogradGradientModel(parameters);
        double expected = exact.Differentiate(sequences, loss).Loss, mixed = autograd.Differentiate(sequences, loss).Loss;
        mixed.ShouldBe(fused.Differentiate(sequences, loss).Loss, 2e-3);
        mixed.ShouldNotBe(expected);
        Vectors.RelativeDifference(autograd.Gradient.Host(), fused.Gradient.Host()).ShouldBeLessThan(0.02);
    }

    // A model on the bf16 grid, as published ones are, and a rate whose updates lie below half a bf16 step.
    private static double[] Losses(bool fused, MatmulPrecision precision, ulong? seed)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        foreach (ref float value in parameters.Span)
            value = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000);
        var examples = TinyDecoder.Sequences(parameters.Architecture, 40, 50, 60);
        using IGradientModel model = fused ? new FusedGradientModel(parameters, precision, 1, 256, seed)
            : new AutogradGradientModel(parameters, precision, seed);
        var optimizer = new AdamW(parameters, new AdamWOptions(WeightDecay: 0));
        var loss = new CrossEntropy(examples.Sum(example => example.SupervisedCount));
        double[] losses = new double[Steps];
        for (int step = 0; step < Steps; step++)
        {
            losses[step] = model.Differentiate(examples, loss).Loss;
            optimizer.Update(model.Gradient, 5e-5);
        }

        return losses;
    }
}
