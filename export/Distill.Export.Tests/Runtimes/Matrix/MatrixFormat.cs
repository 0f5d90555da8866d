using Distill.Architecture;
using Distill.Export.Gguf;
using Distill.Export.Quantization;

namespace Distill.Export.Tests.Runtimes.Matrix;

/// <summary>A row of the matrix: one graph of an export.</summary>
/// <param name="Name">As in the table.</param>
/// <param name="Graph">File in the folder <c>onnx</c>.</param>
/// <param name="Type">The <c>dtype</c> of transformers.js.</param>
internal sealed record MatrixFormat(string Name, ExportOptions Options, string Graph, string Type)
{
    public static IReadOnlyList<MatrixFormat> All { get; } =
    [
        Of(ExportPrecision.Single), Of(ExportPrecision.Half), Of(ExportPrecision.Int8), Of(ExportPrecision.Int4),
        new("q8", new() { DynamicInt8 = true }, ExportPrecisions.DynamicInt8File, "q8"),
        new("portable fp32", new() { Portable = true }, ExportPrecision.Single.GraphFile(), "fp32"),
        new("portable int4", new() { Portable = true, Precision = ExportPrecision.Int4 }, ExportPrecision.Int4.GraphFile(), "q4"),
        Of(ExportPrecision.Int4) with { Name = "int4 calibrated", IsCalibrated = true },
    ];

    /// <summary>Whether its codes are chosen: blocks of 64, and 8 bits for some products.</summary>
    public bool IsCalibrated { get; private init; }

    /// <summary>The form of a GGUF file that corresponds; null for none.</summary>
    public GgufPrecision? Gguf => Name switch
    {
        "fp32" => GgufPrecision.Single, "fp16" => GgufPrecision.Half, "int8" => GgufPrecision.Block8, "int4" => GgufPrecision.Block4,
        _ => null,
    };

    /// <summary>How a model is written in it.</summary>
    /// <param name="texts">That codes are chosen over, where they are chosen.</param>
    public ExportOptions OptionsFor(WeightSet weights, IReadOnlyList<int[]> texts)
    {
        if (!IsCalibrated) return Options;
        var body = new BlockLayout(4, 64);
        long narrow = BitPlan.Even(weights.Architecture, body).Bytes,
            wide = BitPlan.Within(weights.Architecture, body, new Dictionary<string, double>(), long.MaxValue).Bytes;
        var chosen = new ModelCalibration(weights, new()
        {
            Precision = Options.Precision, Texts = texts, Block = body.BlockSize, Threads = 1,
            MaxBytes = ExportedSize.Besides(weights.Architecture) + ((narrow + wide) / 2),
        }).Run();
        chosen.Widened.ShouldBeInRange(1, chosen.Operators - 1);
        return Options with { Quantization = chosen.Quantization };
    }

    /// <summary>Bits of its blocks; null where it has none. Some kernels round what comes into products over them to 8 bits.</summary>
    public int? BlockBits => Options.Precision switch { ExportPrecision.Int8 => 8, ExportPrecision.Int4 => 4, _ => null };

    /// <summary>Whether it stores the weights as they are, in the main graph.</summary>
    public bool IsPlain => Options is { Precision: ExportPrecision.Single, DynamicInt8: false };

    public override string ToString() => Name;

    private static MatrixFormat Of(ExportPrecision precision) =>
        new(precision.Name(), new() { Precision = precision }, precision.GraphFile(), precision.BrowserName()!);
}

/// <summary>An exported folder with what plain ONNX Runtime decodes from it, by which the other runtimes are judged.</summary>
internal sealed record MatrixFolder(string Family, MatrixFormat Format, string Path, IReadOnlyList<DecodedRow> Expected)
{
    public string GraphPath => System.IO.Path.Combine(Path, "onnx", Format.Graph);

    /// <summary>The same model as a GGUF file.</summary>
    public string GgufPath => System.IO.Path.Combine(Path, "model.gguf");

    /// <summary>Why there is none; null where there is.</summary>
    public string? GgufFault { get; init; }

    /// <summary>
    /// What rounding activations to 8 bits moves logits by, as a share of the largest, measured; 0 for formats without blocks, of which q8
    /// rounds too. A runtime may round them otherwise or not at all.
    /// </summary>
    public double Rounding { get; init; }

    public IReadOnlyList<int[]> Prompts => [.. Expected.Select(row => row.Prompt)];

    public int Steps => Expected.Max(row => row.Tokens.Length);

    /// <summary>Compares what a runtime decoded, until a row's end token or until rounding alone could have decided.</summary>
    /// <param name="rounding">Share of the largest logit by which two logits may lie nearer than the runtimes do.</param>
    /// <returns>Null where all is equal; else what is not.</returns>
    public string? Difference(IReadOnlyList<int[]> actual, double rounding)
    {
        for (int row = 0; row < Expected.Count; row++)
        {
            var (tokens, margins) = (Expected[row].Tokens, Expected[row].Margins);
            for (int i = 0; i < tokens.Length; i++)
            {
                int? token = i < actual[row].Length ? actual[row][i] : null;
                if (token == tokens[i]) continue;
                if (token is not null && margins[i] <= rounding) break;
                return $"{Family}, prompt {row}, token {i}: {token?.ToString() ?? "none"} instead of {tokens[i]} (margin {margins[i]:G2})";
            }
        }

        return null;
    }
}

/// <summary>Greedy tokens after a prompt, the end token with them.</summary>
/// <param name="Margins">By how much each was chosen before the next best, as a share of the largest logit.</param>
internal sealed record DecodedRow(int[] Prompt, int[] Tokens, double[] Margins);
