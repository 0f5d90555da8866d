using Distill.Architecture;
using Distill.Export.Quantization;
using Distill.Export.Tests.Support;

namespace Distill.Export.Tests.Quantization;

public sealed class ScaleRecoveryTests
{
    private static readonly BlockLayout Layout = new(4, 16);

    [Fact]
    public void A_rounded_model_comes_nearer_to_itself_and_keeps_its_codes()
    {
        var weights = TinyModels.Weights(TinyModels.Qwen3 with { HiddenSize = 64, IntermediateSize = 96 });
        var nearest = Nearest(weights);
        var recovered = new ScaleRecovery(weights, nearest, new(Steps: 30, BatchTokens: 200, Rate: 5e-3), threads: 1).Run(Texts);
        recovered.Before.ShouldBeGreaterThan(0);
        recovered.After.ShouldBeLessThan(0.97 * recovered.Before);
        foreach (var (name, matrix) in recovered.Quantization.Matrices)
        {
            matrix.Codes.ShouldBe(nearest.Matrices[name].Codes, name);
            matrix.Scales.ShouldNotBe(nearest.Matrices[name].Scales, name);
        }

        recovered.Weights[ParameterMap.FinalNorm].Span.SequenceEqual(weights[ParameterMap.FinalNorm].Span).ShouldBeFalse();
        recovered.Weights[ParameterMap.Embedding].Span.SequenceEqual(weights[ParameterMap.Embedding].Span).ShouldBeTrue();
    }

    [Fact]
    public void What_does_not_help_is_thrown_away()
    {
        var weights = TinyModels.Weights(TinyModels.Qwen3);
        var nearest = Nearest(weights);
        var recovered = new ScaleRecovery(weights, nearest, new(Steps: 3, BatchTokens: 100, Rate: 3), threads: 1).Run(Texts);
        recovered.After.ShouldBe(recovered.Before);
        recovered.Quantization.ShouldBeSameAs(nearest);
        recovered.Weights.ShouldBeSameAs(weights);
    }

    [Fact]
    public void A_block_sums_what_its_codes_weigh()
    {
        var matrix = QuantizedMatrix.Nearest([.. Enumerable.Range(0, 40).Select(i => MathF.Sin(i))], new(4, 16), 20);
        float[] slopes = [.. Enumerable.Range(0, 40).Select(i => (float)i)], sums = new float[4];
        float[] plain = new float[40], grown = new float[40];
        matrix.SumByBlock(slopes, sums);
        // The derivative of Σ slope · weight by a scale, by growing it.
        matrix.Dequantize(plain);
        for (int scale = 0; scale < 4; scale++)
        {
            var other = matrix.WithOwnScales();
            other.Scales[scale] += 1;
            other.Dequantize(grown);
            double change = Enumerable.Range(0, 40).Sum(i => (double)slopes[i] * (grown[i] - plain[i]));
            ((double)sums[scale]).ShouldBe(change, 1e-3);
        }
    }

    private static IReadOnlyList<IReadOnlyList<int>> Texts
    {
        get
        {
            var random = new Random(4);
            return [.. Enumerable.Range(0, 16).Select(_ => Enumerable.Range(0, 24).Select(_ => random.Next(48)).ToArray())];
        }
    }

    private static ModelQuantization Nearest(WeightSet weights) => new(MatrixGroup.Of(weights.Architecture)
        .Where(group => !group.IsTable).SelectMany(group => group.Parts).ToDictionary(
            part => part.Name, part => QuantizedMatrix.Nearest(weights[part.Name].Span, Layout, (int)part.Shape[1])));
}
