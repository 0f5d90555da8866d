using Distill.Architecture;
using Distill.Export;
using Distill.Export.Parity;
using Distill.Export.Quantization;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Stages.Data;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages;

/// <summary>
/// The codes of a run's export, chosen over its curated traces, and what they cost on traces that nothing was chosen on. One thread.
/// </summary>
internal sealed class StageQuantization
{
    private readonly StageContext context;
    private readonly WeightSet weights;
    private readonly CalibrationResult result;
    private readonly RecoveryResult? recovered;
    private readonly IReadOnlyList<MeasuredText> measured;

    private StageQuantization(
        StageContext context, WeightSet weights, CalibrationResult result, RecoveryResult? recovered,
        IReadOnlyList<MeasuredText> measured) =>
        (this.context, this.weights, this.result, this.recovered, this.measured) = (context, weights, result, recovered, measured);

    public ExportOptions Options(ExportPrecision precision) =>
        new() { Precision = precision, Quantization = recovered?.Quantization ?? result.Quantization };

    /// <summary>What goes with the codes.</summary>
    public WeightSet Weights => recovered?.Weights ?? weights;

    /// <summary>For the stage's line.</summary>
    public string Words => $"GPTQ over {result.Texts:N0} traces"
        + (result.Widened > 0 ? $", 8 bits for {result.Widened} of {result.Operators} products" : "")
        + (recovered is { Helped: false } ? ", nothing recovered" : "");

    /// <exception cref="InvalidDataException">No trace was kept, or the size cannot be had.</exception>
    public static StageQuantization? Choose(DistillationRecipe recipe, StageContext context, Checkpoint checkpoint, WeightSet weights)
    {
        if (recipe.Export.Calibration is not { } section) return null;
        var encoder = ChatEncoder.Load(checkpoint.Folder).With(recipe.Prompt.ToStudentStyle());
        var texts = CalibrationTexts.OfKept(
            CuratedFiles.PathsOf(context.Input(CurationStage.StageName)), encoder, weights.Architecture.MaxPositions,
            section.Samples + section.Measured);
        var (chosen, held) = CalibrationTexts.Part(texts, section.Samples, Math.Min(section.Measured, texts.Count / 3));
        var request = new CalibrationRequest
        {
            Precision = recipe.Export.Precision, Texts = [.. chosen.Select(text => text.Tokens)],
            Block = section.Block, MaxBytes = section.MaxMegabytes is { } most ? (long)(most * 1e6) : null,
        };
        var result = new ModelCalibration(weights, request).Run(Told(context, "% of the layers"), context.Cancellation);
        var recovered = recipe.Export.Recover == 0 ? null
            : new ScaleRecovery(weights, result.Quantization, new(recipe.Export.Recover), request.Threads)
                .Run(request.Texts, Told(context, "% of the updates"), context.Cancellation);
        return new(context, weights, result, recovered, held);
    }

    /// <summary>Measures the exported folder beside fp32 and rounding to nearest.</summary>
    public QuantizationRecord Measure(string folder, TokenizerFiles tokenizer, ExportPrecision precision)
    {
        if (measured.Count == 0) return QuantizationRecord.Of(result, recovered, []);
        var comparison = new FormComparison(weights, tokenizer, measured, clock: null);
        string scratch = Path.Combine(folder, ".forms");
        Directory.CreateDirectory(scratch);
        try
        {
            List<FormFigures> forms = [.. FormComparison.Plain.Where(form => form.Options.Precision is ExportPrecision.Single
                || form.Options.Precision == precision).Select(form => comparison.Measure(form.Form, form.Options, scratch, null,
                    context.Cancellation))];
            forms.Add(comparison.Measure(FormComparison.NameOf(precision, recovered), folder, rounded: true, context.Cancellation));
            return QuantizationRecord.Of(result, recovered, forms);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static Action<double> Told(StageContext context, string unit) =>
        share => context.Progress(new Runs.StageProgress(Math.Round(share * 100), 100, unit));
}
