using System.Runtime.InteropServices;
using Distill.Architecture;
using Distill.Export.Graph;
using Distill.Export.Onnx;
using Distill.Export.Quantization;

namespace Distill.Export.Formats;

/// <summary>
/// ONNX Runtime's MatMulNBits over block-quantized matrices. Embedding and output projection keep 8 bits; where the model ties them, the
/// embedding reads the head's bytes.
/// </summary>
/// <param name="body">Bits of everything else, 4 or 8.</param>
/// <param name="accuracyLevel">4 rounds activations to int8 per block, which is what makes it fast on a CPU; 0 multiplies exactly.</param>
/// <param name="chosen">Codes and scales by matrix, in layouts of their own; null, and what is missing: rounded to nearest.</param>
internal sealed class BlockFormat(int body, int accuracyLevel = 4, ModelQuantization? chosen = null) : WeightFormat
{
    private const int BlockSize = 32, HeadBits = 8;
    private readonly BlockQuantizer bodyQuantizer = new(body, BlockSize);

    public override string Multiply(GraphAssembly graph, string input, string output, string name, ProjectionWeights weights) =>
        Multiply(graph, input, output, weights, Matrix(graph, name + ".weight", weights, bodyQuantizer));

    public override string Embed(GraphAssembly graph, string ids, string output, ParameterSpec embedding)
    {
        var quantizer = TableQuantizer(embedding);
        if (quantizer is null) return new FloatFormat(OnnxElementType.Float).Embed(graph, ids, output, embedding);
        var (codes, scales, layout) = Matrix(graph, embedding.Name, new ProjectionWeights(embedding), quantizer);
        return PackedTable.Gather(graph, ids, output, codes, scales, new BlockQuantizer(layout.Bits, layout.BlockSize));
    }

    public override string Head(GraphAssembly graph, string input, string output, ParameterSpec head, bool tied)
    {
        var weights = new ProjectionWeights(head);
        var quantizer = TableQuantizer(head) ?? new BlockQuantizer(HeadBits, BlockSize);
        // The tied head has the embedding's name and so is the embedding's constant.
        return Multiply(graph, input, output, weights, Matrix(graph, tied ? head.Name : "lm_head.weight", weights, quantizer));
    }

    // Rows must fill whole blocks, or the padded bytes could not be read as a table.
    private static BlockQuantizer? TableQuantizer(ParameterSpec table) =>
        table.Shape[1] % BlockSize == 0 ? new(HeadBits, BlockSize) : table.Shape[1] % 16 == 0 ? new(HeadBits, 16) : null;

    private string Multiply(GraphAssembly graph, string input, string output, ProjectionWeights weights, StoredBlocks matrix)
    {
        graph.AddMicrosoft("MatMulNBits", [output], [input, matrix.Codes, matrix.Scales],
            OnnxAttribute.Of("K", weights.Columns), OnnxAttribute.Of("N", weights.Rows), OnnxAttribute.Of("bits", matrix.Layout.Bits),
            OnnxAttribute.Of("block_size", matrix.Layout.BlockSize), OnnxAttribute.Of("accuracy_level", accuracyLevel));
        return output;
    }

    private StoredBlocks Matrix(GraphAssembly graph, string name, ProjectionWeights weights, BlockQuantizer quantizer)
    {
        var parts = chosen?.Find(weights.Parts);
        var layout = parts is null ? quantizer.Layout : parts[0].Layout;
        int blocks = layout.BlocksOf(weights.Columns), rowBytes = blocks * layout.BlockBytes;
        void FillCodes(WeightSet source, int first, Span<byte> target)
        {
            for (int row = 0; row < target.Length / rowBytes; row++)
            {
                var codes = target.Slice(row * rowBytes, rowBytes);
                if (parts is null) quantizer.Codes(weights.Row(source, first + row), codes);
                else RowOf(parts, first + row, (matrix, at) => matrix.CodesOf(at)).CopyTo(codes);
            }
        }

        void FillScales(WeightSet source, int first, Span<byte> target)
        {
            var values = MemoryMarshal.Cast<byte, float>(target);
            for (int row = 0; row < values.Length / blocks; row++)
            {
                var scales = values.Slice(row * blocks, blocks);
                if (parts is null) quantizer.Scales(weights.Row(source, first + row), scales);
                else RowOf(parts, first + row, (matrix, at) => matrix.ScalesOf(at)).CopyTo(scales);
            }
        }

        string codeName = $"{name}_q{layout.Bits}";
        string stored = graph.Constant(new(codeName, OnnxElementType.UInt8, [weights.Rows, blocks, layout.BlockBytes], FillCodes));
        string scaleName = graph.Constant(new($"{name}_scales", OnnxElementType.Float, [weights.Rows, blocks], FillScales));
        return new(stored, scaleName, layout);
    }

    private delegate Span<T> PartOf<T>(QuantizedMatrix matrix, int row);

    // The rows of several matrices lie below one another.
    private static Span<T> RowOf<T>(IReadOnlyList<QuantizedMatrix> parts, int row, PartOf<T> part)
    {
        int matrix = 0;
        for (; row >= parts[matrix].Rows; matrix++) row -= parts[matrix].Rows;
        return part(parts[matrix], row);
    }

    private sealed record StoredBlocks(string Codes, string Scales, BlockLayout Layout);
}
