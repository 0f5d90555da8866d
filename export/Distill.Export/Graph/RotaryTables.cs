using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>
/// cos and sin of the rotary angles, [positions, headSize / 2], halves not interleaved. The angles are computed in fp32 as
/// transformers does, because that is what the weights were trained with.
/// </summary>
internal static class RotaryTables
{
    public const string Cosine = "cos_cache", Sine = "sin_cache";

    public static void Add(GraphAssembly graph, DecoderArchitecture architecture)
    {
        float[] frequencies = Frequencies(architecture);
        graph.Constant(Table(Cosine, architecture, (position, i) => MathF.Cos(position * frequencies[i])));
        graph.Constant(Table(Sine, architecture, (position, i) => MathF.Sin(position * frequencies[i])));
    }

    private static float[] Frequencies(DecoderArchitecture architecture)
    {
        float[] frequencies = new float[architecture.HeadSize / 2];
        for (int i = 0; i < frequencies.Length; i++)
        {
            float exponent = (float)(2 * i) / architecture.HeadSize;
            frequencies[i] = 1f / (float)Math.Pow(architecture.RopeTheta, exponent);
        }

        return frequencies;
    }

    private static OnnxInitializer Table(string name, DecoderArchitecture architecture, Func<float, int, float> value)
    {
        int half = architecture.HeadSize / 2;
        return new(name, OnnxElementType.Float, [architecture.MaxPositions, half], (_, firstPosition, target) =>
        {
            var values = MemoryMarshal.Cast<byte, float>(target);
            for (int i = 0; i < values.Length; i++) values[i] = value(firstPosition + (i / half), i % half);
        });
    }
}
