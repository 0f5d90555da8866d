using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Graph;

namespace Distill.Export.Quantization;

/// <summary>What of an int4 or int8 export is no code and no scale, so that a size can be kept before anything is written.</summary>
internal static class ExportedSize
{
    // A constant's entry in the model file: its name, shape, and place in the data.
    private const int EntryBytes = 192, NodeBytes = 256;

    // Large constants start on 64 KiB and small ones on 64 bytes.
    private const int LargeBytes = 1 << 20, LargePadding = 1 << 16, SmallPadding = 64;

    /// <summary>An upper bound.</summary>
    public static long Besides(DecoderArchitecture architecture)
    {
        var graph = DecoderGraphBuilder.Build(architecture, new BlockFormat(8));
        long bytes = (NodeBytes * graph.Nodes.Count) + (EntryBytes * (graph.Inputs.Count + graph.Outputs.Count));
        foreach (var constant in graph.Initializers)
        {
            bool isBlocks = constant.Name.EndsWith("_q8", StringComparison.Ordinal)
                || constant.Name.EndsWith("_scales", StringComparison.Ordinal);
            bytes += EntryBytes + (constant.ByteCount >= LargeBytes ? LargePadding : SmallPadding) + (isBlocks ? 0 : constant.ByteCount);
        }

        return bytes;
    }
}
