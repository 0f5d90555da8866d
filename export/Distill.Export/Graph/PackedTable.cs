using Distill.Export.Formats;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>
/// Rows of a block-quantized matrix by standard operators: gathered as they are stored, then unpacked and scaled. What
/// GatherBlockQuantized does, which ONNX Runtime's build for browsers lacks. The matrix is read where the product reads it,
/// with no operator in between: nothing can be folded into a second copy when the model is opened.
/// </summary>
internal static class PackedTable
{
    private static readonly OnnxAttribute s_widened = OnnxAttribute.Of("to", (long)OnnxElementType.Float);

    /// <param name="ids">[batch, time].</param>
    /// <param name="codes">[rows, blocks, bytes of a block], as <see cref="BlockQuantizer"/> lays them out.</param>
    /// <param name="scales">fp32, [rows, blocks].</param>
    /// <returns><paramref name="output"/>, fp32 [batch, time, blocks · block size].</returns>
    public static string Gather(GraphAssembly graph, string ids, string output, string codes, string scales, BlockQuantizer quantizer)
    {
        string stored = graph.Add("Gather", $"{output}.stored", [codes, ids]);
        string bytes = graph.Add("Cast", $"{output}.bytes", [stored], s_widened);
        string values = quantizer.Layout.Bits == 8 ? bytes : Halves(graph, output, bytes, quantizer.Layout.BlockSize);
        string middle = graph.Number($"constant.middle{quantizer.Layout.Bits}", 1 << (quantizer.Layout.Bits - 1));
        string centred = graph.Add("Sub", $"{output}.centred", [values, middle]); // [batch, time, blocks, block size]
        string scale = graph.Add("Gather", $"{output}.scale", [scales, ids]);     // [batch, time, blocks]
        string column = graph.Add("Unsqueeze", $"{output}.scales", [scale, graph.Integers("constant.last", [-1])]);
        string scaled = graph.Add("Mul", $"{output}.scaled", [centred, column]);
        return graph.Add("Reshape", output, [scaled, graph.Integers("embedding.shape", [0, 0, -1])]);
    }

    /// <summary>Columns of a matrix that is stored as its product reads it.</summary>
    /// <param name="table">[n, vocab].</param>
    /// <param name="ids">[batch, time].</param>
    /// <returns><paramref name="output"/>, [batch, time, n].</returns>
    public static string Columns(GraphAssembly graph, string table, string ids, string output) => graph.Add("Transpose", output,
        [graph.Add("Gather", $"{output}.columns", [table, ids], OnnxAttribute.Of("axis", 1))], OnnxAttribute.Of("perm", [1, 2, 0]));

    /// <summary>Two codes of 4 bits a byte, the low one first. In fp32, where every step is exact and every runtime has it.</summary>
    // [batch, time, blocks, bytes] → [batch, time, blocks, block size]
    private static string Halves(GraphAssembly graph, string output, string bytes, int blockSize)
    {
        string sixteen = graph.Number("constant.sixteen", 16), last = graph.Integers("constant.last", [-1]);
        string high = graph.Add("Floor", $"{output}.high", [graph.Add("Div", $"{output}.shifted", [bytes, sixteen])]);
        string low = graph.Add("Sub", $"{output}.low", [bytes, graph.Add("Mul", $"{output}.above", [high, sixteen])]);
        string[] columns = [graph.Add("Unsqueeze", $"{output}.lows", [low, last]), graph.Add("Unsqueeze", $"{output}.highs", [high, last])];
        string pairs = graph.Add("Concat", $"{output}.pairs", columns, OnnxAttribute.Of("axis", -1));
        return graph.Add("Reshape", $"{output}.codes", [pairs, graph.Integers("embedding.blocks", [0, 0, -1, blockSize])]);
    }
}
