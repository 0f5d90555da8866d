using System.Text.Json.Serialization;
using Distill.Export.Parity;

namespace Distill.Export;

/// <summary>
/// The numbers of an exported model. The logits are always fp32; with fp16 and bf16 everything else is of that type, otherwise what flows
/// between the matrices and the cache are fp32.
/// </summary>
public enum ExportPrecision
{
    /// <summary>fp32, as trained; the parity gate holds this one to the last digits.</summary>
    [JsonStringEnumMemberName("fp32")]
    Single,

    /// <summary>
    /// fp16 throughout: half the size, and what the CUDA provider needs. A CPU computes it by way of fp32 and is slower for it.
    /// </summary>
    [JsonStringEnumMemberName("fp16")]
    Half,

    /// <summary>bf16 throughout: for CUDA devices only, and for models whose numbers outgrow fp16.</summary>
    [JsonStringEnumMemberName("bf16")]
    BFloat16,

    /// <summary>8 bits a weight in blocks of 32 with an fp32 scale each.</summary>
    Int8,

    /// <summary>4 bits a weight in blocks of 32, but 8 bits for embedding and output projection, which small models feel most.</summary>
    Int4,
}

/// <summary>Spellings of each <see cref="ExportPrecision"/>, and what the parity gate demands of it.</summary>
internal static class ExportPrecisions
{
    // Beyond fp16 the tolerance of logits catches a broken export (another scale, a shifted code); what rounding costs is held to
    // QualityLimits, and to the tokens that it turns.
    private static readonly Row[] Table =
    [
        new(ExportPrecision.Single, "fp32", "", "fp32", ParityTolerance.Exact),
        new(ExportPrecision.Half, "fp16", "_fp16", "fp16", new(0.01, 0.02) { RelativePaths = 0.02 }),
        new(ExportPrecision.BFloat16, "bf16", "_bf16", null, new(0.05, 0.1) { RelativePaths = 0.05 }),
        new(ExportPrecision.Int8, "int8", "_int8", "int8", Rounded(0.1, QualityLimits.Int8)),
        new(ExportPrecision.Int4, "int4", "_q4", "q4", Rounded(0.5, QualityLimits.Int4)),
    ];

    /// <summary>The graph of <see cref="ExportOptions.DynamicInt8"/>, in the folder <c>onnx</c>; transformers.js calls it q8.</summary>
    public const string DynamicInt8File = "model_quantized.onnx";

    /// <summary>Every name there is.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Table.Select(row => row.Name)];

    /// <summary>As on the command line: fp32, fp16, bf16, int8, int4.</summary>
    public static string Name(this ExportPrecision precision) => Of(precision).Name;

    /// <summary>Whether ONNX Runtime's CPU provider computes it: it has no bf16 kernels for what these graphs do.</summary>
    public static bool RunsOnProcessor(this ExportPrecision precision) => precision != ExportPrecision.BFloat16;

    /// <summary>
    /// How far the logits of decoding through the cache may be from those of one run, as a share of the largest: what rounds activations
    /// rounds other sums of them otherwise.
    /// </summary>
    public static double CacheTolerance(this ExportPrecision precision) => precision switch
    {
        ExportPrecision.Single => 1e-4,
        ExportPrecision.Half => 0.02,
        _ => 0.05,
    };

    /// <summary>The <c>dtype</c> under which transformers.js finds it; null where it has none.</summary>
    public static string? BrowserName(this ExportPrecision precision) => Of(precision).BrowserName;

    /// <summary>The graph's file name in the folder <c>onnx</c>, with the suffix that transformers.js looks for.</summary>
    public static string GraphFile(this ExportPrecision precision) => $"model{Of(precision).Suffix}.onnx";

    /// <summary>What an export of this precision must meet against the model it was made from.</summary>
    public static ParityTolerance Tolerance(this ExportPrecision precision) => Of(precision).Tolerance;

    /// <summary>Null for an unknown name.</summary>
    public static ExportPrecision? Parse(string name) => Table.FirstOrDefault(row => row.Name == name)?.Precision;

    private static Row Of(ExportPrecision precision) => Table.First(row => row.Precision == precision);

    // As many of its own tokens may be others as of the texts'. Products of one row and of many round activations otherwise: 0.03 of the
    // largest logit for int4 of a real model.
    private static ParityTolerance Rounded(double logits, QualityLimits limits) =>
        new(logits, 1 - limits.Agreement) { RelativePaths = logits };

    private sealed record Row(ExportPrecision Precision, string Name, string Suffix, string? BrowserName, ParityTolerance Tolerance);
}
