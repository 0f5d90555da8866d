namespace Distill.Export.Graph;

/// <summary>How the large matrices are stored and which operator multiplies with them: the part of a graph that precision changes.</summary>
internal abstract class ProjectionFormat
{
    /// <summary>Adds <paramref name="output"/> = <paramref name="input"/> · weightsᵀ, [batch, time, in] → [batch, time, out].</summary>
    public abstract string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights);
}
