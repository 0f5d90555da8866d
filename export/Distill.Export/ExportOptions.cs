using Distill.Export.Quantization;

namespace Distill.Export;

/// <summary>How a model is written as ONNX: everything that decides the bytes beside the weights. Immutable.</summary>
public sealed record ExportOptions
{
    /// <summary>fp32 throughout.</summary>
    public static ExportOptions Default { get; } = new();

    /// <summary>The numbers of the weights.</summary>
    public ExportPrecision Precision { get; init; } = ExportPrecision.Single;

    /// <summary>Codes and scales of int8 and int4 that were chosen over texts; null: every weight is rounded to nearest.</summary>
    internal ModelQuantization? Quantization { get; init; }

    /// <summary>Weights of projections that get inputs for a low-rank adapter, which need not be given. Default: none.</summary>
    internal IReadOnlySet<string> Adapted { get; init; } = new HashSet<string>();

    /// <summary>
    /// Operators of the ONNX standard alone, attention and norms spelled out: any runtime runs it, and rows may be padded on either side.
    /// Slower than the default, and the cache grows by copies. Not with bf16.
    /// </summary>
    public bool Portable { get; init; }

    /// <summary>
    /// Writes a second graph beside the main one, <c>model_quantized.onnx</c>, with products in 8-bit whole numbers: what transformers.js
    /// takes in a browser where nothing else is asked for. The engine and ONNX Runtime GenAI go on with the main one.
    /// </summary>
    public bool DynamicInt8 { get; init; }
}
