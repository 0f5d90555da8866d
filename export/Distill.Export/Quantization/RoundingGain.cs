using Distill.Architecture;

namespace Distill.Export.Quantization;

/// <summary>
/// What each matrix costs a rounded decoder. Around the exact model the divergence is a quadratic form of the rounding errors, ½·ΔᵀFΔ,
/// whose gradient at the rounded model is FΔ: the product of a matrix's error with its gradient is its share, twice, errors that add to
/// one another over the layers included. One pass forward and back ranks all matrices. One thread of the caller's.
/// </summary>
internal sealed class RoundingGain(WeightSet weights, int threads)
{
    /// <param name="layout">That every projection is rounded to nearest in.</param>
    /// <returns>By parameter, of the projections, in nats per token: the larger, the more 8 bits would give.</returns>
    public IReadOnlyDictionary<string, double> Measure(
        BlockLayout layout, IReadOnlyList<IReadOnlyList<int>> texts, CancellationToken cancellation = default)
    {
        using var distillation = new SelfDistillation(weights, texts, threads, cancellation);
        ParameterSpec[] projections =
            [.. MatrixGroup.Of(weights.Architecture).Where(group => !group.IsTable).SelectMany(group => group.Parts)];
        foreach (var part in projections)
            QuantizedMatrix.Nearest(weights[part.Name].Span, layout, (int)part.Shape[1])
                .Dequantize(distillation.Parameters.SpanOf(part.Name));
        cancellation.ThrowIfCancellationRequested();
        distillation.Differentiate(distillation.Sequences);
        return projections.ToDictionary(part => part.Name, part => Share(part.Name, distillation));
    }

    private double Share(string name, SelfDistillation distillation)
    {
        ReadOnlySpan<float> gradient = distillation.GradientOf(name), rounded = distillation.Parameters.SpanOf(name);
        ReadOnlySpan<float> exact = weights[name].Span;
        double sum = 0;
        for (int i = 0; i < exact.Length; i++) sum += (double)gradient[i] * (rounded[i] - exact[i]);
        return sum / 2;
    }
}
