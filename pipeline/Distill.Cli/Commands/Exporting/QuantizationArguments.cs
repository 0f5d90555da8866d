using System.CommandLine;
using Distill.Architecture;
using Distill.Cli.Parsing;
using Distill.Export;
using Distill.Export.Parity;
using Distill.Export.Quantization;
using Distill.Pipeline.Models;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;
using Distill.Tokenization;

namespace Distill.Cli.Commands.Exporting;

/// <summary>
/// The options of <c>distill export</c> that choose the codes of int8 and int4 over texts, and the table of size, quality and speed.
/// </summary>
internal sealed class QuantizationArguments
{
    // Held out of the texts for the table: enough for a ratio with an interval, few enough to be read by four forms.
    private const int MostMeasured = 40;

    private readonly Option<string> calibrate = new("--calibrate")
    {
        HelpName = "TEXTS",
        Description = "Choose the codes of int8 or int4 over texts (GPTQ): JSON lines, plain text, or traces. What the model will read "
            + "and write is best. Default: each weight to nearest.",
    };

    private readonly Option<int> samples =
        CommandOptions.Number("--samples", "Texts to calibrate over; the first of TEXTS.", 1, 4096, 64);

    private readonly Option<int> block =
        CommandOptions.Number("--block", "Weights that share a scale in 4 bits: 32, 64 or 128.", 32, 128, 32);

    private readonly Option<double?> maxSize = CommandOptions.OptionalNumber<double>("--max-size",
        "Most megabytes of graph and data of a calibrated int4: what 4 bits leave over gives 8 bits to the matrices that gain most.",
        0.001, 1e6);

    private readonly Option<int?> recover = CommandOptions.OptionalNumber<int>("--recover",
        "Then distil the rounded model from itself for so many updates: scales and norms alone are trained.", 1, 100_000);

    private readonly Option<bool> compare = new("--compare")
    {
        Description = "Measure this export beside fp32, int8 and int4 to nearest: size, perplexity, tokens per second, on texts that "
            + "nothing was chosen on. Needs --calibrate.",
    };

    public IReadOnlyList<Option> All => [calibrate, samples, block, maxSize, recover, compare];

    /// <exception cref="UsageException">Options that mean nothing together.</exception>
    public void Require(ParseResult parsed, ExportPrecision precision, IEnumerable<Option> unfitting)
    {
        bool asked = parsed.GetValue(calibrate) is not null;
        string[] others = [.. ((Option[])[samples, block, maxSize, recover, compare])
            .Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name)];
        if (!asked && others.Length > 0)
            throw new UsageException($"{others[0]} needs texts.", "Give --calibrate TEXTS.");
        if (asked && precision is not (ExportPrecision.Int8 or ExportPrecision.Int4))
            throw new UsageException($"--calibrate chooses codes, and {precision.Name()} has none.", "Give --precision int4 or int8.");
        // What they write has no such codes, or weights of its own that the codes, the trained norms and the size know nothing of.
        if (asked && unfitting.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } other)
            throw new UsageException($"--calibrate and {other.Name} exclude each other.", "Leave one of them out.");
        if (parsed.GetValue(maxSize) is not null && precision != ExportPrecision.Int4)
            throw new UsageException("--max-size chooses between 4 and 8 bits.", "Give --precision int4.");
        if (precision != ExportPrecision.Int4 && parsed.GetResult(block) is { Implicit: false })
            throw new UsageException("--block is the size of a block of 4 bits.", "Leave it out, or give --precision int4.");
        if (parsed.GetValue(block) is not (32 or 64 or 128))
            throw new UsageException($"--block {parsed.GetValue(block)} is no size of a block.", "Give 32, 64 or 128.");
    }

    /// <summary>What is exported and how; without <c>--calibrate</c> the weights to nearest.</summary>
    /// <param name="encoder">Of the model that is exported, in the style it is spoken to.</param>
    public ChosenQuantization Choose(ParseResult parsed, ExportOptions plain, ExportSource source, ChatEncoder encoder)
    {
        var (weights, context) = (source.Weights, source.Context);
        if (parsed.GetValue(calibrate) is not { } place) return new(plain, weights, null, null, [], []);
        var texts = GivenTexts.Read("--calibrate", place, encoder, weights.Architecture.MaxPositions);
        var (chosen, measured) = Parted(texts, parsed.GetValue(samples), parsed.GetValue(compare));
        var request = new CalibrationRequest
        {
            Precision = plain.Precision, Texts = [.. chosen.Select(text => text.Tokens)], Block = parsed.GetValue(block),
            MaxBytes = parsed.GetValue(maxSize) is { } megabytes ? (long)(megabytes * 1e6) : null, Threads = Environment.ProcessorCount,
        };
        context.Progress.Begin("calibrate", $"{chosen.Count:N0} texts, {chosen.Sum(text => (long)text.Tokens.Count):N0} tokens");
        var result = new ModelCalibration(weights, request).Run(Told(context), context.Cancellation);
        context.Progress.End();
        var recovered = parsed.GetValue(recover) is { } steps ? Recover(steps, weights, result, request, context) : null;
        var options = plain with { Quantization = recovered?.Quantization ?? result.Quantization };
        return new(options, recovered?.Weights ?? weights, result, recovered, chosen, measured);
    }

    /// <summary>The table, and the folder's own description with it; nothing without <c>--compare</c>.</summary>
    public IReadOnlyList<FormFigures> Compare(
        ParseResult parsed, string folder, ChosenQuantization chosen, ExportSource source)
    {
        var context = source.Context;
        if (!parsed.GetValue(compare)) return [];
        context.Progress.Begin("compare", $"{FormComparison.Plain.Count + 1} forms over {chosen.Measured.Count:N0} texts");
        var comparison = new FormComparison(source.Weights, source.Tokenizer, chosen.Measured, context.Clock);
        var rows = new List<FormFigures>();
        string scratch = Path.GetDirectoryName(Path.GetFullPath(folder))!;
        foreach (var (form, options) in FormComparison.Plain)
        {
            rows.Add(comparison.Measure(form, options, scratch, cancellation: context.Cancellation));
            context.Progress.Report(new StageProgress(rows.Count, FormComparison.Plain.Count + 1, "forms"));
        }

        rows.Add(comparison.Measure(
            FormComparison.NameOf(chosen.Options.Precision, chosen.Recovered), folder, rounded: true, context.Cancellation));
        context.Progress.End();
        return rows;
    }

    /// <summary>Lines for people.</summary>
    public static IEnumerable<(string Label, string Text)> Notes(ExportPrecision precision, ChosenQuantization chosen)
    {
        if (chosen.Result is not { } result)
        {
            bool canChoose = chosen.Options is { Portable: false, DynamicInt8: false, Adapted.Count: 0 };
            if (precision == ExportPrecision.Int4)
                yield return ("note", "each weight to nearest, which cost a model of 135 million parameters 23 % in perplexity"
                    + (canChoose ? "; --calibrate TEXTS chooses better codes" : ""));
            yield break;
        }

        string mixed = result.Widened > 0 ? $"; 8 bits for {result.Widened} of {result.Operators} products" : "";
        yield return ("codes", $"GPTQ over {chosen.Texts.Count:N0} texts, {result.Tokens:N0} tokens{mixed}");
        if (chosen.Recovered is { } recovered)
        {
            yield return ("recover", recovered.Helped
                ? $"divergence {ReportNumbers.Short(recovered.Before)} → {ReportNumbers.Short(recovered.After)} nats a token on held-out "
                    + $"texts, {recovered.Steps:N0} updates"
                : $"nothing was gained: {recovered.Steps:N0} updates left the divergence on held-out texts at "
                    + $"{ReportNumbers.Short(recovered.Before)} nats a token or raised it, and were thrown away");
        }
    }

    /// <summary>For <c>--json</c>; null where nothing was chosen over texts.</summary>
    public static object? Json(ChosenQuantization? chosen, IReadOnlyList<FormFigures> forms) => chosen?.Result is not { } result
        ? null : new
    {
        method = "gptq", texts = chosen.Texts.Count, tokens = result.Tokens, products8Bits = result.Widened, products = result.Operators,
        recovered = chosen.Recovered is not { } recovered ? null : new { recovered.Before, recovered.After, recovered.Steps },
        forms = forms.Select(row => new { row.Form, row.Bytes, row.Quality, row.TokensPerSecond }),
    };

    /// <summary>For people; null where nothing was compared.</summary>
    public static (IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows)? Table(IReadOnlyList<FormFigures> rows) =>
        rows.Count == 0 ? null : (
        ["form", "size", "perplexity ×", "95 %", "same token", "tokens/s"],
        [.. rows.Select(row => (IReadOnlyList<string>)
        [
            row.Form, $"{row.Bytes / 1e6:F1} MB", row.Quality is { } quality ? $"{quality.PerplexityRatio:F3}" : "1",
            row.Quality is { } known ? $"{known.PerplexityRatioInterval95.Low:F3} to {known.PerplexityRatioInterval95.High:F3}" : "",
            row.Quality is { } same ? $"{100 * same.TopAgreement:F1} %" : "", $"{row.TokensPerSecond:F0}",
        ])]);

    private static RecoveryResult Recover(
        int steps, WeightSet weights, CalibrationResult result, CalibrationRequest request, CommandContext context)
    {
        context.Progress.Begin("recover", $"{steps:N0} updates");
        var recovery = new ScaleRecovery(weights, result.Quantization, new RecoveryOptions(steps), request.Threads);
        var recovered = recovery.Run(request.Texts, Told(context), context.Cancellation);
        context.Progress.End();
        return recovered;
    }

    private static Action<double> Told(CommandContext context) =>
        share => context.Progress.Report(new StageProgress(Math.Round(share * 100), 100, "%"));

    // The table is measured on texts after those that were chosen on.
    private static (IReadOnlyList<MeasuredText> Chosen, IReadOnlyList<MeasuredText> Measured) Parted(
        IReadOnlyList<MeasuredText> texts, int samples, bool compare)
    {
        if (!compare) return ([.. texts.Take(samples)], []);
        var parted = CalibrationTexts.Part(texts, samples, Math.Clamp(texts.Count / 3, 1, MostMeasured));
        return parted.Held.Count > 0 ? parted : throw new UsageException(
            "One text or prompt cannot be calibrated over and measured on.", "Give others too, or leave --compare out.");
    }
}

/// <summary>What an export writes.</summary>
/// <param name="Weights">That go with the codes.</param>
/// <param name="Result">Null without calibration.</param>
/// <param name="Texts">That codes were chosen over.</param>
/// <param name="Measured">That nothing was chosen on.</param>
internal sealed record ChosenQuantization(
    ExportOptions Options, WeightSet Weights, CalibrationResult? Result, RecoveryResult? Recovered, IReadOnlyList<MeasuredText> Texts,
    IReadOnlyList<MeasuredText> Measured);
