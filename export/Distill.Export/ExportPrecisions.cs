using Distill.Export.Parity;

namespace Distill.Export;

/// <summary>Spellings of each <see cref="ExportPrecision"/>, and what the parity gate demands of it.</summary>
public static class ExportPrecisions
{
    // Beyond fp32 the tolerances catch a broken export (another scale, a shifted code), not a loss of quality: that is measured by evaluating
    // the exported model.
    private static readonly (ExportPrecision Precision, string Name, string Suffix, string BrowserName, ParityTolerance Tolerance)[] Table =
    [
        (ExportPrecision.Single, "fp32", "", "fp32", ParityTolerance.Exact),
        (ExportPrecision.Half, "fp16", "_fp16", "fp16", new(0.01, 0.02)),
        (ExportPrecision.Int8, "int8", "_int8", "int8", new(0.1, 0.1)),
        (ExportPrecision.Int4, "int4", "_q4", "q4", new(0.5, 0.5)),
    ];

    /// <summary>Every name there is.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Table.Select(row => row.Name)];

    /// <summary>As on the command line: fp32, fp16, int8, int4.</summary>
    public static string Name(this ExportPrecision precision) => Row(precision).Name;

    /// <summary>The <c>dtype</c> under which transformers.js finds it.</summary>
    public static string BrowserName(this ExportPrecision precision) => Row(precision).BrowserName;

    /// <summary>The graph's file name in the folder <c>onnx</c>, with the suffix that transformers.js looks for.</summary>
    public static string GraphFile(this ExportPrecision precision) => $"model{Row(precision).Suffix}.onnx";

    /// <summary>What an export of this precision must meet against the model it was made from.</summary>
    public static ParityTolerance Tolerance(this ExportPrecision precision) => Row(precision).Tolerance;

    /// <summary>Null for an unknown name.</summary>
    public static ExportPrecision? Parse(string name)
    {
        foreach (var row in Table)
            if (row.Name == name) return row.Precision;
        return null;
    }

    private static (ExportPrecision Precision, string Name, string Suffix, string BrowserName, ParityTolerance Tolerance) Row(ExportPrecision precision) =>
        Table.First(row => row.Precision == precision);
}
