using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>The tables of <see cref="RotaryTable"/> as constants, scaling and attention factor included: GroupQueryAttention knows neither.</summary>
internal static class RotaryCaches
{
    public const string Cosine = "cos_cache", Sine = "sin_cache";

    public static void Add(GraphAssembly graph, DecoderArchitecture architecture)
    {
        var table = new RotaryTable(architecture);
        graph.Constant(Cache(Cosine, table, table.Cosines));
        graph.Constant(Cache(Sine, table, table.Sines));
    }

    private delegate void Rows(int firstPosition, Span<float> target);

    private static OnnxInitializer Cache(string name, RotaryTable table, Rows rows) =>
        new(name, OnnxElementType.Float, [table.Positions, table.Width], (_, firstPosition, target) => rows(firstPosition, MemoryMarshal.Cast<byte, float>(target))) { IsWeight = false };
}
