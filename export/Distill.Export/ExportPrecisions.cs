namespace Distill.Export;

/// <summary>Spellings of each <see cref="ExportPrecision"/>.</summary>
public static class ExportPrecisions
{
    private static readonly (ExportPrecision Precision, string Name, string GraphFile)[] Table =
    [
        (ExportPrecision.Single, "fp32", "model.onnx"),
    ];

    /// <summary>As on the command line: fp32, ….</summary>
    public static string Name(this ExportPrecision precision) => Row(precision).Name;

    /// <summary>The graph's file name in the folder <c>onnx</c>, with the suffix that transformers.js looks for.</summary>
    public static string GraphFile(this ExportPrecision precision) => Row(precision).GraphFile;

    /// <summary>Null for an unknown name.</summary>
    public static ExportPrecision? Parse(string name)
    {
        foreach (var row in Table)
            if (row.Name == name) return row.Precision;
        return null;
    }

    /// <summary>Every name there is.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Table.Select(row => row.Name)];

    private static (ExportPrecision Precision, string Name, string GraphFile) Row(ExportPrecision precision) => Table.First(row => row.Precision == precision);
}
