using Distill.Architecture;
using Distill.Export.Gguf;

namespace Distill.Export.Tests.Support;

/// <summary>The weights that a reader of a GGUF file computes with, back in the order of a checkpoint.</summary>
internal static class GgufWeights
{
    public static WeightSet Read(string path, DecoderArchitecture architecture)
    {
        var file = GgufFile.Open(path);
        return new(architecture, ParameterMap.For(architecture).ToDictionary(parameter => parameter.Name, parameter =>
        {
            float[] stored = file.ReadSingles(DecoderTensors.NameOf(parameter.Name));
            if (RowOrder.Of(architecture, parameter.Name) is not { } order) return stored;
            int width = (int)(parameter.Count / parameter.Shape[0]);
            float[] values = new float[stored.Length];
            for (int row = 0; row < stored.Length / width; row++)
                stored.AsSpan(row * width, width).CopyTo(values.AsSpan(order.SourceOf(row) * width, width));
            return values;
        }));
    }
}
