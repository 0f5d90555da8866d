using System.CommandLine;
using Distill.Export;

namespace Distill.Cli.Commands.Exporting;

/// <summary>The options of <c>distill export</c> that say with which operators the graphs are written.</summary>
internal sealed class GraphArguments
{
    private readonly Option<bool> portable = new("--portable")
    {
        Description = "Operators of the ONNX standard alone: runs in any runtime, rows may be padded on the left; slower.",
    };

    private readonly Option<bool> dynamicInt8 = new("--dynamic-int8")
    {
        Description = "A second graph, onnx/model_quantized.onnx: products in 8-bit whole numbers, for browsers.",
    };

    public IReadOnlyList<Option> All => [portable, dynamicInt8];

    public ExportOptions Read(ParseResult parsed, ExportOptions options) => options with
    {
        Portable = parsed.GetValue(portable), DynamicInt8 = parsed.GetValue(dynamicInt8),
    };
}
