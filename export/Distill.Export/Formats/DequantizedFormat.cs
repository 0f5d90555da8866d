using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Graph;
using Distill.Export.Onnx;

namespace Distill.Export.Formats;

/// <summary>
/// Block-quantized matrices by operators of the ONNX standard alone: DequantizeLinear by blocks (opset 21) before every product, which
/// ONNX Runtime makes one operator of as it opens the model. The same numbers as <see cref="BlockFormat"/>, stored as its operator wants
/// them, [in, out]; a tied embedding reads columns of the head.
/// </summary>
/// <param name="body">Bits of everything but embedding and output projection, 4 or 8.</param>
internal sealed class DequantizedFormat(int body) : WeightFormat
{
    private const int BlockSize = 32, HeadBits = 8;
    private static readonly OnnxAttribute s_widened = OnnxAttribute.Of("to", (long)OnnxElementType.Float);
    private readonly BlockQuantizer bodyQuantizer = new(body, BlockSize);

    public override bool IsPortable => true;

    public override string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights) =>
        Multiply(graph, input, output, name, Matrix(graph, name, weights, bodyQuantizer), bodyQuantizer);

    public override string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding)
    {
        if (TableQuantizer(embedding) is not { } quantizer)
            return new FloatFormat(OnnxElementType.Float).Embed(graph, ids, output, embedding);
        var (codes, scales) = Matrix(graph, embedding.Name, new ProjectionWeights(embedding), quantizer);
        string wide = graph.Add("Cast", $"{output}.codes", [PackedTable.Columns(graph, codes, ids, $"{output}.stored")], s_widened);
        string blocks = graph.Add("Reshape", $"{output}.blocks",
            [wide, graph.Integers("embedding.blocks", [0, 0, -1, quantizer.Layout.BlockSize])]);
        string scale = graph.Add("Unsqueeze", $"{output}.scales",
            [PackedTable.Columns(graph, scales, ids, $"{output}.scale"), graph.Integers("constant.last", [-1])]);
        string scaled = graph.Add("Mul", $"{output}.scaled", [blocks, scale]);
        return graph.Add("Reshape", output, [scaled, graph.Integers("embedding.shape", [0, 0, -1])]);
    }

    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied)
    {
        var quantizer = TableQuantizer(head) ?? new BlockQuantizer(HeadBits, BlockSize);
        // The tied head has the embedding's name and so is the embedding's constant.
        string name = tied ? head.Name : "lm_head";
        return Multiply(graph, input, output, "lm_head", Matrix(graph, name, new ProjectionWeights(head), quantizer), quantizer);
    }

    private static BlockQuantizer? TableQuantizer(ParameterSpec table) =>
        table.Shape[1] % BlockSize == 0 ? new(HeadBits, BlockSize) : table.Shape[1] % 16 == 0 ? new(HeadBits, 16) : null;

    private static string Multiply(
        GraphAssembly graph, string input, string output, string name, (string Codes, string Scales) matrix, BlockQuantizer quantizer)
    {
        string wide = graph.Add("DequantizeLinear", $"{name}.dequantized", [matrix.Codes, matrix.Scales], OnnxAttribute.Of("axis", 0),
            OnnxAttribute.Of("block_size", quantizer.Layout.BlockSize));
        return graph.Add("MatMul", output, [input, wide]);
    }

    /// <returns>Codes [in, out] less their middle, so that no zero points are needed; scales [blocks of in, out].</returns>
    private static (string Codes, string Scales) Matrix(
        GraphAssembly graph, string name, ProjectionWeights weights, BlockQuantizer quantizer)
    {
        if (quantizer.Layout.Bits == 4 && weights.Rows % 2 != 0)
            throw new InvalidDataException(
                $"{name} has {weights.Rows} outputs: a portable int4 matrix needs an even number of them. Take int8, or leave portable "
                    + "out.");
        var type = quantizer.Layout.Bits == 4 ? OnnxElementType.Int4 : OnnxElementType.Int8;
        var matrix = new BlockColumns(weights, quantizer);
        string codes = graph.Constant(
            new($"{name}.weight_q{quantizer.Layout.Bits}", type, [weights.Columns, weights.Rows], matrix.FillCodes));
        string scales = graph.Constant(new($"{name}.weight_scales", OnnxElementType.Float,
            [quantizer.Layout.BlocksOf(weights.Columns), weights.Rows], matrix.FillScales));
        return (codes, scales);
    }
}

/// <summary>The codes and scales of a matrix, transposed as they are written.</summary>
internal sealed class BlockColumns(ProjectionWeights weights, BlockQuantizer quantizer)
{
    /// <summary>Codes of inputs from <paramref name="firstColumn"/> on, less their middle, [in, out].</summary>
    public void FillCodes(WeightSet source, int firstColumn, Span<byte> target)
    {
        int rows = weights.Rows, size = quantizer.Layout.BlockSize, count = (int)((long)target.Length * 8 / quantizer.Layout.Bits / rows);
        int firstBlock = firstColumn / size, from = firstBlock * size, to = Math.Min(weights.Columns, firstColumn + count);
        byte[] codes = new byte[quantizer.Layout.BlocksOf(to - from) * quantizer.Layout.BlockBytes];
        // A block's scale is that of all its weights.
        int end = Math.Min(weights.Columns, from + (quantizer.Layout.BlocksOf(to - from) * size));
        target.Clear();
        for (int row = 0; row < rows; row++)
        {
            quantizer.Codes(weights.Row(source, row)[from..end], codes);
            for (int column = firstColumn; column < firstColumn + count; column++)
                Put(target, ((column - firstColumn) * rows) + row, codes, column - from);
        }
    }

    /// <summary>Scales from block <paramref name="firstBlock"/> on, [blocks, out].</summary>
    public void FillScales(WeightSet source, int firstBlock, Span<byte> target)
    {
        var values = MemoryMarshal.Cast<byte, float>(target);
        int blocks = values.Length / weights.Rows, from = firstBlock * quantizer.Layout.BlockSize;
        float[] scales = new float[blocks];
        for (int row = 0; row < weights.Rows; row++)
        {
            quantizer.Scales(weights.Row(source, row)[from..], scales);
            for (int block = 0; block < blocks; block++) values[(block * weights.Rows) + row] = scales[block];
        }
    }

    // Taking the middle away is turning the highest bit.
    private void Put(Span<byte> target, int index, byte[] codes, int from)
    {
        if (quantizer.Layout.Bits == 8)
        {
            target[index] = (byte)(codes[from] ^ 0x80);
            return;
        }

        int code = quantizer.Layout.At(codes, from) ^ 8;
        target[index / 2] |= (byte)(code << (4 * (index & 1)));
    }
}
