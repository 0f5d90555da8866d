using Distill.Student.Training;

namespace Distill.Student.Tests.Training;

public sealed class AdamWTests
{
    [Fact]
    public void Matrices_decay_and_norms_do_not()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        float[] before = parameters.Span.ToArray();
        new AdamW(parameters, new AdamWOptions(WeightDecay: 0.5)).Update(new float[parameters.Count], 0.1);
        foreach (var (name, offset, spec) in parameters.Places)
        {
            float factor = spec.Shape.Count > 1 ? 0.95f : 1;
            for (int i = (int)offset; i < offset + (int)spec.Count; i++) parameters.Span[i].ShouldBe(before[i] * factor, 1e-6f, name);
        }
    }

    [Fact]
    public void The_first_updates_follow_the_formula_of_PyTorch()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var optimizer = new AdamW(parameters, new AdamWOptions(Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, WeightDecay: 0, MaxGradientNorm: 0));
        float[] gradient = new float[parameters.Count];
        double value = parameters.Span[5], m = 0, v = 0;
        double[] slopes = [0.5, -0.25, 2.0];
        for (int step = 1; step <= slopes.Length; step++)
        {
            gradient[5] = (float)slopes[step - 1];
            optimizer.Update(gradient, 0.01).ShouldBe(Math.Abs(slopes[step - 1]), 1e-6);
            m = 0.9 * m + 0.1 * slopes[step - 1];
            v = 0.99 * v + 0.01 * slopes[step - 1] * slopes[step - 1];
            value -= 0.01 * (m / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(v / (1 - Math.Pow(0.99, step))) + 1e-8);
            ((double)parameters.Span[5]).ShouldBe(value, 1e-6);
        }
    }

    [Fact]
    public void A_large_gradient_is_clipped_to_the_norm_and_reported_unclipped()
    {
        using var clipped = TinyDecoder.Parameters(TinyDecoder.Architecture());
        using var scaled = TinyDecoder.Parameters(TinyDecoder.Architecture());
        float[] large = new float[clipped.Count], small = new float[clipped.Count];
        (large[0], large[1]) = (30, 40);
        (small[0], small[1]) = (0.6f, 0.8f);
        new AdamW(clipped, new AdamWOptions(WeightDecay: 0)).Update(large, 0.01).ShouldBe(50, 1e-4);
        new AdamW(scaled, new AdamWOptions(WeightDecay: 0)).Update(small, 0.01);
        clipped.Span[0].ShouldBe(scaled.Span[0], 1e-6f);
    }

    [Fact]
    public void A_gradient_that_is_not_finite_stops_the_training_before_anything_changes()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        float[] before = parameters.Span.ToArray(), gradient = new float[parameters.Count];
        gradient[3] = float.NaN;
        var optimizer = new AdamW(parameters, new AdamWOptions());
        double.IsFinite(optimizer.Update(gradient, 0.01)).ShouldBeFalse();
        parameters.Span.ToArray().ShouldBe(before);
        optimizer.Steps.ShouldBe(0);
    }

    [Fact]
    public void The_norm_of_many_small_values_beside_a_large_one_is_exact()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture() with { VocabularySize = 200_000 });
        float[] gradient = new float[parameters.Count];
        Array.Fill(gradient, 1e-3f);
        gradient[0] = 100;
        double expected = Math.Sqrt(gradient.Sum(value => (double)value * value));
        new AdamW(parameters, new AdamWOptions()).Update(gradient, 0).ShouldBe(expected, 1e-6 * expected);
    }
}
