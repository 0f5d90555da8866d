using Distill.Architecture;
using Distill.Export.Package;
using Distill.Export.Parity;
using Distill.Generation.Onnx;

namespace Distill.Export.Quantization;

/// <summary>What one form of a model takes and loses.</summary>
/// <param name="Form">As in <c>int4, to nearest</c>.</param>
/// <param name="Bytes">Of the graph and its data.</param>
/// <param name="Quality">Against the trained model, on texts that nothing was chosen on; null for the model's own numbers.</param>
/// <param name="TokensPerSecond">Of one greedy reply, prompt left out; null where it was not measured.</param>
public sealed record FormFigures(string Form, long Bytes, QualityReport? Quality, double? TokensPerSecond = null);

/// <summary>
/// Size, quality and speed of a model's forms: each is exported, opened as an application would, and read over the same texts. One thread.
/// </summary>
/// <param name="texts">To measure on; none that codes were chosen on.</param>
/// <param name="clock">For the speed; null where figures must not depend on the machine.</param>
internal sealed class FormComparison(
    WeightSet weights, TokenizerFiles tokenizer, IReadOnlyList<MeasuredText> texts, TimeProvider? clock)
{
    private const int DecodedTokens = 48;

    /// <summary>What stands beside a calibrated export: fp32, and int8 and int4 without texts.</summary>
    public static IReadOnlyList<(string Form, ExportOptions Options)> Plain { get; } =
    [
        ("fp32", new()),
        ("int8, to nearest", new() { Precision = ExportPrecision.Int8 }),
        ("int4, to nearest", new() { Precision = ExportPrecision.Int4 }),
    ];

    /// <summary>What an export with chosen codes is called in the table.</summary>
    /// <param name="recovered">Null where nothing was trained; what gained nothing is not named after it.</param>
    public static string NameOf(ExportPrecision precision, RecoveryResult? recovered) =>
        $"{precision.Name()}, {(recovered is { Helped: true } ? "recovered" : "calibrated")}";

    /// <summary>Exports a form into a folder of its own, which is gone afterwards, and measures it.</summary>
    /// <param name="scratch">Where the folder is made.</param>
    /// <param name="changed">Weights that go with the form's codes; null: the model's own.</param>
    public FormFigures Measure(
        string form, ExportOptions options, string scratch, WeightSet? changed = null, CancellationToken cancellation = default)
    {
        string folder = Path.Combine(scratch, Path.GetRandomFileName());
        try
        {
            ModelPackage.Write(folder, changed ?? weights, tokenizer, new PackageDescription { Name = form }, options);
            return Measure(form, folder, options.Precision != ExportPrecision.Single, cancellation);
        }
        finally
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Measures a form that is exported already.</summary>
    /// <param name="rounded">Whether its quality is a question.</param>
    public FormFigures Measure(string form, string folder, bool rounded, CancellationToken cancellation = default)
    {
        long bytes = Directory.EnumerateFiles(Path.Combine(folder, ModelPackage.GraphFolder)).Sum(file => new FileInfo(file).Length);
        using var model = OnnxTokenModel.Load(folder);
        QualityReport? quality = null;
        if (rounded)
        {
            using var reference = new TorchReferenceModel(weights);
            quality = QualityMeasure.Run(reference, model, texts, cancellation: cancellation);
        }

        return new(form, bytes, quality, clock is null ? null : Speed(model, clock));
    }

    private double? Speed(OnnxTokenModel model, TimeProvider clock)
    {
        int[] prompt = [.. texts.MaxBy(text => text.First)!.Tokens.Take(Math.Max(1, texts.Max(text => text.First)))];
        int count = Math.Min(DecodedTokens, model.MaxLength - prompt.Length);
        if (count < 2) return null;
        GreedyDecoding.Run(model, [prompt], 2, []); // opened and warm
        long start = clock.GetTimestamp();
        GreedyDecoding.Run(model, [prompt], 1, []);
        var prefill = clock.GetElapsedTime(start);
        start = clock.GetTimestamp();
        GreedyDecoding.Run(model, [prompt], count, []);
        double seconds = (clock.GetElapsedTime(start) - prefill).TotalSeconds;
        return seconds > 0 ? (count - 1) / seconds : null;
    }
}
