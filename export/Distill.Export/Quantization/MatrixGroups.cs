using Distill.Architecture;

namespace Distill.Export.Quantization;

/// <summary>Matrices that one operator reads, or one stored table serves, and that share a layout therefore.</summary>
/// <param name="Name">Of the first, without <c>.weight</c>.</param>
/// <param name="IsTable">The embedding, which is the output projection too where the two are tied; or the output projection.</param>
internal sealed record MatrixGroup(string Name, IReadOnlyList<ParameterSpec> Parts, bool IsTable)
{
    public int Columns => checked((int)Parts[0].Shape[1]);

    public long Rows => Parts.Sum(part => part.Shape[0]);

    /// <summary>All of a decoder, in the order of the model.</summary>
    public static IReadOnlyList<MatrixGroup> Of(DecoderArchitecture architecture)
    {
        var groups = new List<MatrixGroup>();
        foreach (var parameter in ParameterMap.For(architecture).Where(parameter => parameter.Shape.Count == 2))
        {
            bool table = parameter.Name is ParameterMap.Embedding or ParameterMap.OutputProjection;
            if (parameter.Name.EndsWith("self_attn.k_proj.weight", StringComparison.Ordinal)
                || parameter.Name.EndsWith("self_attn.v_proj.weight", StringComparison.Ordinal))
                groups[^1] = groups[^1] with { Parts = [.. groups[^1].Parts, parameter] };
            else groups.Add(new(parameter.Name[..^".weight".Length], [parameter], table));
        }

        return groups;
    }

    public long BytesIn(BlockLayout layout) => layout.BytesOf(Rows, Columns);
}
