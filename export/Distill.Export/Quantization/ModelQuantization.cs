using Distill.Architecture;

namespace Distill.Export.Quantization;

/// <summary>
/// Codes and scales of a decoder's matrices that were chosen before the export, by parameter name, and what the norms became beside
/// them. What is missing is rounded to nearest when it is written. Immutable.
/// </summary>
internal sealed class ModelQuantization(IReadOnlyDictionary<string, QuantizedMatrix> matrices)
{
    public IReadOnlyDictionary<string, QuantizedMatrix> Matrices => matrices;

    /// <returns>
    /// The matrices of one product, whose rows lie below one another; null where none of them is here.
    /// </returns>
    /// <exception cref="InvalidOperationException">They differ in layout, or some are missing: one operator cannot read them.</exception>
    public IReadOnlyList<QuantizedMatrix>? Find(IReadOnlyList<ParameterSpec> parts)
    {
        QuantizedMatrix[] found = [.. parts.Where(part => matrices.ContainsKey(part.Name)).Select(part => matrices[part.Name])];
        if (found.Length == 0) return null;
        if (found.Length < parts.Count || found.Any(matrix => matrix.Layout != found[0].Layout))
            throw new InvalidOperationException(
                $"One operator reads {string.Join(", ", parts.Select(part => part.Name))}; they need codes of one layout.");
        return found;
    }

    /// <summary>The weights that the export computes with: matrices as their codes stand for them, everything else as it is.</summary>
    public WeightSet Dequantize(WeightSet weights) => new(weights.Architecture, ParameterMap.For(weights.Architecture).Select(parameter =>
    {
        if (!matrices.TryGetValue(parameter.Name, out var matrix)) return KeyValuePair.Create(parameter.Name, weights[parameter.Name]);
        float[] values = new float[parameter.Count];
        matrix.Dequantize(values);
        return KeyValuePair.Create(parameter.Name, (ReadOnlyMemory<float>)values);
    }));
}
