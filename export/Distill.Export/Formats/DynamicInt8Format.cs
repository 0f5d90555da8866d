using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Graph;
using Distill.Export.Onnx;

namespace Distill.Export.Formats;

/// <summary>
/// Products in whole numbers: what comes in is rounded to 8 bits in every run (DynamicQuantizeLinear, one scale for all of it), the
/// weights once, with a scale for each output (MatMulInteger). The numbers of ONNX Runtime's
/// <c>quantize_dynamic</c> by channel, symmetric; a tied embedding reads columns of the head.
/// </summary>
/// <remarks>
/// Stored without a sign, 128 above what they are: on processors without VNNI, ONNX Runtime adds two products of 8 bits with and without
/// sign in 16 bits, which do not hold them, so that signed codes give wrong sums there without a word. Of two factors without a sign
/// every sum is exact on every processor.
/// </remarks>
internal sealed class DynamicInt8Format(bool isPortable = false) : WeightFormat
{
    private const byte Zero = 128;
    private static readonly OnnxAttribute s_widened = OnnxAttribute.Of("to", (long)OnnxElementType.Float);

    public override bool IsPortable => isPortable;

    public override string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights) =>
        Multiply(graph, input, output, Matrix(graph, name, weights));

    public override string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding)
    {
        var (codes, scales) = Matrix(graph, embedding.Name, new ProjectionWeights(embedding));
        string wide = graph.Add("Cast", $"{output}.codes", [PackedTable.Columns(graph, codes, ids, $"{output}.stored")], s_widened);
        string centred = graph.Add("Sub", $"{output}.centred", [wide, graph.Number("constant.middle8", Zero)]);
        string scale = graph.Add("Unsqueeze", $"{output}.scales", [graph.Add("Gather", $"{output}.scale", [scales, ids]),
            graph.Integers("constant.last", [-1])]); // [batch, time, 1]
        return graph.Add("Mul", output, [centred, scale]);
    }

    // The tied head has the embedding's name and so is the embedding's constant.
    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied) =>
        Multiply(graph, input, output, Matrix(graph, tied ? head.Name : "lm_head", new ProjectionWeights(head)));

    /// <summary>The scale of one output's weights: its largest becomes 127.</summary>
    public static float Scale(ReadOnlySpan<float> row) => Math.Abs(TensorPrimitives.MaxMagnitude(row)) / 127;

    /// <returns>−127 … 127, rounded to nearest, ties to even.</returns>
    public static sbyte Code(float weight, float scale) =>
        scale == 0 ? (sbyte)0 : (sbyte)Math.Clamp(MathF.Round(weight / scale), -127, 127);

    private static string Multiply(GraphAssembly graph, string input, string output, (string Codes, string Scales) matrix)
    {
        string codes = $"{input}.codes", scale = $"{input}.scale", zero = $"{input}.zero";
        graph.AddOnce(new OnnxNode("DynamicQuantizeLinear", [input], [codes, scale, zero], []));
        string sum = graph.Add("MatMulInteger", $"{output}.sum", [codes, matrix.Codes, zero, Middle(graph)]);
        string wide = graph.Add("Cast", $"{output}.wide", [sum], s_widened);
        string both = graph.Add("Mul", $"{output}.scales", [scale, matrix.Scales]); // [out]
        return graph.Add("Mul", output, [wide, both]);
    }

    private static string Middle(GraphAssembly graph) =>
        graph.Constant(new("constant.zero_code", OnnxElementType.UInt8, [], (_, _, target) => target[0] = Zero) { IsWeight = false });

    // Codes [in, out], scales [out].
    private static (string Codes, string Scales) Matrix(GraphAssembly graph, string name, ProjectionWeights weights)
    {
        void FillCodes(WeightSet source, int firstColumn, Span<byte> target)
        {
            int rows = weights.Rows, columns = target.Length / rows;
            for (int row = 0; row < rows; row++)
            {
                var values = weights.Row(source, row);
                float scale = Scale(values);
                for (int column = 0; column < columns; column++)
                    target[(column * rows) + row] = (byte)(Zero + Code(values[firstColumn + column], scale));
            }
        }

        void FillScales(WeightSet source, int firstRow, Span<byte> target)
        {
            var values = MemoryMarshal.Cast<byte, float>(target);
            for (int row = 0; row < values.Length; row++) values[row] = Scale(weights.Row(source, firstRow + row));
        }

        string codes = graph.Constant(new($"{name}.weight_codes", OnnxElementType.UInt8, [weights.Columns, weights.Rows], FillCodes));
        return (codes, graph.Constant(new($"{name}.weight_scales", OnnxElementType.Float, [weights.Rows], FillScales)));
    }
}
