using System.CommandLine;
using Distill.Architecture;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Export;
using Distill.Export.Package;
using Distill.Export.Parity;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Models;
using Distill.Pipeline.Runs;
using Distill.Tokenization;

namespace Distill.Cli.Commands.Exporting;

/// <summary><c>distill verify</c>: is an exported model the checkpoint it claims to be?</summary>
internal sealed class VerifyCommand : DistillCommand
{
    private const int MostTexts = 400;

    private readonly Argument<string> folder = new("DIR") { Description = "Folder of the exported model." };

    private readonly Option<string> against =
        new("--against") { HelpName = "CHECKPOINT", Description = "The checkpoint it was made from.", Required = true };

    private readonly Option<int> prompts =
        CommandOptions.Number("--prompts", "Prompts completed greedily, from the problem families.", 1, 10_000, 50);

    private readonly Option<int> tokens = CommandOptions.Number("--tokens", "Greedy tokens compared for each.", 1, 100_000, 128);
    private readonly Option<double?> tolerance = CommandOptions.OptionalNumber<double>("--tolerance",
        "Largest logit difference allowed, as a share of the largest logit. Default: what the model's precision allows.", 0, 1);

    private readonly Option<string?> texts = new("--texts")
    {
        HelpName = "FILE",
        Description = "Texts to measure an int8 or int4 model on, as 'export --calibrate' takes them: JSON lines, plain text or traces. "
            + "Default: the model's own answers to problems of the families, and their solutions.",
    };

    private readonly Option<string> runtimes = CommandOptions.Word("--runtimes",
        "Other runtimes that decode the same prompts: ONNX Runtime GenAI, transformers.js in Node. all takes those that are there.",
        ["all", .. ExportedRuntimes.Names, "none"], "all");

    private readonly Option<string> device = DeviceOption.OfModel();

    public VerifyCommand()
        : base("verify", "The parity gate: is an exported folder the trained model? fp32 and fp16: logits and greedy tokens against "
            + "TorchSharp without a cache. int8 and int4: what rounding costs in perplexity, divergence and problems solved. "
            + "Every precision: other runtimes, texts and chats. Exit code 3 when it is refused, with the first layer that differs.")
    {
        Arguments.Add(folder);
        foreach (var option in (Option[])[against, prompts, tokens, tolerance, texts, runtimes, device]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill verify /tmp/tiny-onnx --against student/models/tiny-base",
        "distill verify /tmp/tiny-onnx --against student/models/tiny-base --prompts 10 --tokens 64 --json",
        "distill verify /tmp/tiny-int4 --against student/models/tiny-base --texts answers.jsonl --runtimes none",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string exported = HubAccess.Locate(parsed.GetRequiredValue(folder), context, PulledModel.Onnx);
        ModelFolders.RequireOnnx(exported);
        RequireUntouched(exported);
        var checkpoint = ModelFolders.OpenCheckpoint(HubAccess.Locate(parsed.GetRequiredValue(against), context, PulledModel.Checkpoint));
        MachineDiagnosis.RequireTorch();
        var place = DeviceOption.Choose(parsed.GetRequiredValue(device), exported, ModelEngine.Onnx, context);
        var opened = ModelFolder.Open(exported);
        var precision = GraphPrecision.Of(opened);
        RequireComputes(place, precision.Name(), exported);
        var style = PackageProvenance.PromptOf(exported);
        var encoder = opened.LoadEncoder().With(style);
        var trained = checkpoint.Tokenizer is null ? null : ChatEncoder.Load(checkpoint.Folder).With(style);
        var serving = ServedModel.Options(ServedModel.WeightBytes(opened)) with { Device = place };
        using var others = ExportedRuntimes.Open(opened, Wanted(parsed.GetRequiredValue(runtimes)), precision, !place.IsCuda, serving);
        context.Progress.Begin("verify", $"{parsed.GetValue(prompts):N0} prompts × {parsed.GetValue(tokens):N0} tokens");
        using var model = DeviceModels.Load(opened, serving);
        RequireSameSize(model, checkpoint);
        var plan = Plan(parsed, encoder, checkpoint, precision) with { Runtimes = others.All, Serving = serving with { Device = default } };
        var report = new ExportGate(new(opened, model, encoder, checkpoint, trained), plan).Run(
            share => context.Progress.Report(new StageProgress(Math.Round(share * 100), 100, "%")), context.Cancellation);
        context.Progress.End();
        return Tell(report, exported, precision, checkpoint, others.Missing, context);
    }

    private GatePlan Plan(ParseResult parsed, ChatEncoder encoder, Checkpoint checkpoint, ExportPrecision precision)
    {
        var allowed = precision.Tolerance();
        if (parsed.GetValue(tolerance) is { } chosen) allowed = allowed with { RelativeLogits = chosen };
        int longest = checkpoint.Architecture.MaxPositions, newTokens = parsed.GetValue(tokens);
        var problems = ParityPrompts.Problems(encoder, longest, parsed.GetValue(prompts));
        return new()
        {
            Inputs = ParityPrompts.Make(encoder, longest, problems, newTokens),
            Tolerance = allowed,
            Limits = QualityLimits.For(precision),
            Problems = problems,
            AnswerTokens = newTokens,
            // A gate ends: what lies beyond is not read.
            Texts = parsed.GetValue(texts) is { } place ? [.. GivenTexts.Read("--texts", place, encoder, longest).Take(MostTexts)] : null,
        };
    }

    private static int Tell(
        ParityReport report, string exported, ExportPrecision precision, Checkpoint checkpoint, IReadOnlyList<string> missing,
        CommandContext context)
    {
        string name = precision.Name();
        var gate = report.Passed ? null : new GateFailedException(
            $"The exported model is not the checkpoint. '{exported}' ({name}): {string.Join("; ", report.Refusals ?? [])}. "
            + report.Fault?.Words);
        if (context.IsJson)
        {
            // Machines get the figures and the error in one object.
            var error = gate is null ? null : Failure.Of(gate, context).ToJson(context);
            context.Results.Json(new
            {
                folder = exported, against = checkpoint.Folder, precision = name, report.Passed, parity = report, notRun = missing, error,
            });
            return gate is null ? ExitCode.Done : ExitCode.GateFailed;
        }

        ParityOutput.Show(context.Results, $"{exported} ({name})", checkpoint.Folder, report, missing);
        return gate is null ? ExitCode.Done : throw gate;
    }

    private static IReadOnlyList<string> Wanted(string word) => word switch
    {
        "all" => ExportedRuntimes.Names,
        "none" => [],
        _ => [word],
    };

    private static void RequireSameSize(ITokenModel model, Checkpoint checkpoint)
    {
        if (model.VocabularySize == checkpoint.Architecture.VocabularySize) return;
        throw new GateFailedException($"The exported model has {model.VocabularySize:N0} tokens and the checkpoint "
            + $"{checkpoint.Architecture.VocabularySize:N0}: they are not the same model.");
    }

    /// <param name="precision">Null when unknown.</param>
    /// <exception cref="UsageException">The device does not compute in it.</exception>
    internal static void RequireComputes(ComputeDevice device, string? precision, string exported)
    {
        if (device.IsCuda || precision is null || ExportPrecisions.Parse(precision)!.Value.RunsOnProcessor()) return;
        throw new UsageException($"'{exported}' is {precision}, which a CPU cannot compute.",
            "Verify it on a card (--device cuda); or export the checkpoint in fp32 or fp16 as well, and verify that.");
    }

    // Every file against the folder's own description, large ones too: what is compared below must be what was exported.
    private static void RequireUntouched(string exported)
    {
        var faults = PackageIntegrity.Check(exported, full: true);
        if (faults.Count > 0) throw new GateFailedException($"'{exported}' is not as it was exported: {string.Join(" ", faults)}");
    }
}
