using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Graph;
using Distill.Export.Onnx;

namespace Distill.Export.Formats;

/// <summary>
/// ONNX Runtime's MatMulNBits over block-quantized matrices. Embedding and output projection keep 8 bits; where the model ties them, the
/// embedding reads the head's bytes through GatherBlockQuantized.
/// </summary>
/// <param name="body">Bits of everything else, 4 or 8.</param>
/// <param name="accuracyLevel">4 rounds activations to int8 per block, which is what makes it fast on a CPU; 0 multiplies exactly.</param>
internal sealed class BlockFormat(int body, int accuracyLevel = 4) : WeightFormat
{
    private const int BlockSize = 32, HeadBits = 8;
    private readonly BlockQuantizer bodyQuantizer = new(body, BlockSize);

    public override string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights) =>
        Multiply(graph, input, output, weights, Matrix(graph, name + ".weight", weights, bodyQuantizer), bodyQuantizer);

    public override string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding)
    {
        var quantizer = TableQuantizer(embedding);
        if (quantizer is null) return new FloatFormat(OnnxElementType.Float).Embed(graph, ids, output, embedding);
        var (codes, scales) = Matrix(graph, embedding.Name, new ProjectionWeights(embedding), quantizer);
        string shape = graph.Integers("embedding.shape", [.. embedding.Shape]);
        string table = graph.Add("Reshape", "embedding.table", [codes, shape]); // [vocab, hidden] of bytes
        graph.AddMicrosoft("GatherBlockQuantized", [output], [table, ids, scales],
            OnnxAttribute.Of("bits", HeadBits), OnnxAttribute.Of("block_size", quantizer.BlockSize),
            OnnxAttribute.Of("gather_axis", 0), OnnxAttribute.Of("quantize_axis", 1));
        return output;
    }

    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied)
    {
        var weights = new ProjectionWeights(head);
        var quantizer = TableQuantizer(head) ?? new BlockQuantizer(HeadBits, BlockSize);
        // The tied head has the embedding's name and so is the embedding's constant.
        return Multiply(graph, input, output, weights, Matrix(graph, tied ? head.Name : "lm_head.weight", weights, quantizer), quantizer);
    }

    // Rows must fill whole blocks, or the padded bytes could not be read as a table.
    private static BlockQuantizer? TableQuantizer(ParameterSpec table) =>
        table.Shape[1] % BlockSize == 0 ? new(HeadBits, BlockSize) : table.Shape[1] % 16 == 0 ? new(HeadBits, 16) : null;

    private string Multiply(GraphAssembly graph, string input, string output, ProjectionWeights weights,
        (string Codes, string Scales) matrix, BlockQuantizer quantizer)
    {
        graph.AddMicrosoft("MatMulNBits", [output], [input, matrix.Codes, matrix.Scales],
            OnnxAttribute.Of("K", weights.Columns), OnnxAttribute.Of("N", weights.Rows), OnnxAttribute.Of("bits", quantizer.Bits),
            OnnxAttribute.Of("block_size", quantizer.BlockSize), OnnxAttribute.Of("accuracy_level", accuracyLevel));
        return output;
    }

    private static (string Codes, string Scales) Matrix(
        GraphAssembly graph, string name, ProjectionWeights weights, BlockQuantizer quantizer)
    {
        int blocks = quantizer.BlocksOf(weights.Columns), rowBytes = blocks * quantizer.BlockBytes;
        void FillCodes(WeightSet source, int first, Span<byte> target)
        {
            for (int row = 0; row < target.Length / rowBytes; row++)
                quantizer.Codes(weights.Row(source, first + row), target.Slice(row * rowBytes, rowBytes));
        }

        void FillScales(WeightSet source, int first, Span<byte> target)
        {
            var values = MemoryMarshal.Cast<byte, float>(target);
            for (int row = 0; row < values.Length / blocks; row++)
                quantizer.Scales(weights.Row(source, first + row), values.Slice(row * blocks, blocks));
        }

        string codeName = $"{name}_q{quantizer.Bits}";
        string codes = graph.Constant(new(codeName, OnnxElementType.UInt8, [weights.Rows, blocks, quantizer.BlockBytes], FillCodes));
        string scales = graph.Constant(new($"{name}_scales", OnnxElementType.Float, [weights.Rows, blocks], FillScales));
        return (codes, scales);
    }
}
