using Distill.Architecture;

namespace Distill.Export.Graph;

/// <summary>How the large matrices are stored and which operators read them: the part of a graph that precision changes.</summary>
internal abstract class WeightFormat
{
    public static WeightFormat Of(ExportPrecision precision) => precision switch
    {
        ExportPrecision.Single => new SingleFormat(),
        ExportPrecision.Half => new HalfFormat(),
        ExportPrecision.Int8 => new BlockFormat(body: 8),
        ExportPrecision.Int4 => new BlockFormat(body: 4),
        _ => throw new ArgumentOutOfRangeException(nameof(precision)),
    };

    /// <summary>Adds <paramref name="output"/> = <paramref name="input"/> · weightsᵀ, [batch, time, in] → [batch, time, out].</summary>
    public abstract string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights);

    /// <summary>Adds <paramref name="output"/> = rows of the embedding, [batch, time] → [batch, time, hidden].</summary>
    public abstract string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding);

    /// <summary>Adds the logits, from the embedding itself where the model ties them, so that the matrix is stored once.</summary>
    /// <param name="head">The output projection, or the embedding when <paramref name="tied"/>.</param>
    public abstract string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied);
}
