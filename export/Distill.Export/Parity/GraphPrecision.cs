using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Export.Parity;

/// <summary>The numbers of a graph's weights, read off its operators: whoever made it, and whatever the file is called.</summary>
internal static class GraphPrecision
{
    private static readonly string[] s_dynamic = ["MatMulInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "QLinearMatMul"];

    // Of the enumeration of onnx.proto3: UINT8, INT8, UINT4, INT4.
    private static readonly int[] s_bytes = [2, 3], s_halfBytes = [21, 22];

    /// <exception cref="InvalidDataException">The file is no ONNX model.</exception>
    public static ExportPrecision Of(ModelFolder folder)
    {
        using var stream = File.OpenRead(folder.GraphPath);
        if (GraphOutline.Read(stream, folder.GraphPath) is not { } graph) return ExportPrecision.Single;
        var blocks = graph.Nodes.Where(node => node is { Operator: "MatMulNBits", Domain: "com.microsoft" }).ToList();
        int[] widened = [.. Widened(graph, stream, folder.GraphPath)];
        if (widened.Any(s_halfBytes.Contains)
            || blocks.Exists(node => NodeNumbers.Read(stream, folder.GraphPath, node.Piece).GetValueOrDefault("bits", 4) < 8))
            return ExportPrecision.Int4;
        if (widened.Any(s_bytes.Contains) || blocks.Count > 0 || graph.Nodes.Any(node => s_dynamic.Contains(node.Operator)))
            return ExportPrecision.Int8;
        return CacheType(folder) switch
        {
            TensorElementType.Float16 => ExportPrecision.Half,
            TensorElementType.BFloat16 => ExportPrecision.BFloat16,
            _ => ExportPrecision.Single,
        };
    }

    // Element types of the constants that a graph of the ONNX standard alone widens before its products.
    private static IEnumerable<int> Widened(GraphOutline graph, Stream stream, string path)
    {
        var stored = graph.Nodes.Where(node => node is { Operator: "DequantizeLinear", Domain: "" or "ai.onnx", Inputs.Count: > 0 })
            .Select(node => node.Inputs[0]).ToHashSet(StringComparer.Ordinal);
        return graph.Initializers.Where(constant => stored.Contains(constant.Name))
            .Select(constant => StoredTensor.TypeOf(stream, path, constant.Piece));
    }

    private static TensorElementType? CacheType(ModelFolder folder) =>
        folder.Facts.FloatTypeOf(folder.Configuration.Names.CacheNames(0).Past);
}
