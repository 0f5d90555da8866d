using System.CommandLine;
using Distill.Architecture;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Data.Problems;
using Distill.Export;
using Distill.Export.Package;
using Distill.Export.Parity;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Models;
using Distill.Pipeline.Runs;
using Distill.Teacher;
using Distill.Tokenization;

namespace Distill.Cli.Commands;

/// <summary><c>distill verify</c>: is an exported model the checkpoint it claims to be?</summary>
internal sealed class VerifyCommand : DistillCommand
{
    private readonly Argument<string> folder = new("DIR") { Description = "Folder of the exported model." };

    private readonly Option<string> against =
        new("--against") { HelpName = "CHECKPOINT", Description = "The checkpoint it was made from.", Required = true };

    private readonly Option<int> prompts =
        CommandOptions.Number("--prompts", "Prompts completed greedily, from the problem families.", 1, 10_000, 50);

    private readonly Option<int> tokens = CommandOptions.Number("--tokens", "Greedy tokens compared for each.", 1, 100_000, 128);
    private readonly Option<double?> tolerance = CommandOptions.OptionalNumber<double>("--tolerance",
        "Largest logit difference allowed, as a share of the largest logit. Default: what the model's precision allows.", 0, 1);

    private readonly Option<string> device = DeviceOption.OfModel();

    public VerifyCommand()
        : base("verify", "The parity gate: logits and greedy tokens of an exported model against the trained one, computed by TorchSharp "
            + "without a cache. Exit code 3 when they differ.")
    {
        Arguments.Add(folder);
        foreach (var option in (Option[])[against, prompts, tokens, tolerance, device]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill verify /tmp/tiny-onnx --against student/models/tiny-base",
        "distill verify /tmp/tiny-onnx --against student/models/tiny-base --prompts 10 --tokens 64 --json",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string exported = HubAccess.Locate(parsed.GetRequiredValue(folder), context, PulledModel.Onnx);
        ModelFolders.RequireOnnx(exported);
        RequireUntouched(exported);
        var checkpoint = ModelFolders.OpenCheckpoint(HubAccess.Locate(parsed.GetRequiredValue(against), context, PulledModel.Checkpoint));
        MachineDiagnosis.RequireTorch();
        var place = DeviceOption.Choose(parsed.GetRequiredValue(device), exported, ModelEngine.Onnx, context);
        string? precision = ModelFolders.PrecisionOf(exported);
        var allowed = precision is null ? ParityTolerance.Exact : ExportPrecisions.Parse(precision)!.Value.Tolerance();
        RequireComputes(place, precision, exported);
        if (parsed.GetValue(tolerance) is { } chosen) allowed = allowed with { RelativeLogits = chosen };
        var encoder = ChatEncoder.Load(exported);
        RequireSameWords(exported, encoder, checkpoint);
        var inputs = ParityPrompts.Make(encoder, checkpoint.Architecture.MaxPositions, parsed.GetValue(prompts), parsed.GetValue(tokens));
        var report = Compare(exported, place, checkpoint, inputs, allowed, context);
        string words = $"{exported} ({precision ?? "unknown precision"}) against {checkpoint.Folder}: {Readable.Parity(report)}";
        if (!report.Passed) return Fail(new GateFailedException($"The exported model is not the checkpoint. {words}"));
        if (context.IsJson)
            context.Results.Json(new { folder = exported, against = checkpoint.Folder, precision, report.Passed, parity = report });
        context.Results.Line($"parity holds. {words}");
        return ExitCode.Done;

        // Machines get the figures and the error in one object.
        int Fail(GateFailedException gate)
        {
            if (!context.IsJson) throw gate;
            var error = Failure.Of(gate, context).ToJson(context);
            context.Results.Json(new { folder = exported, against = checkpoint.Folder, precision, report.Passed, parity = report, error });
            return ExitCode.GateFailed;
        }
    }

    private static ParityReport Compare(
        string exported, ComputeDevice device, Checkpoint checkpoint, ParityInputs inputs, ParityTolerance allowed, CommandContext context)
    {
        context.Progress.Begin("verify", $"{inputs.Prompts.Count:N0} prompts × {inputs.MaxNewTokens:N0} tokens");
        using var model = DeviceModels.Load(ModelFolder.Open(exported), new OnnxModelOptions { Device = device });
        if (model.VocabularySize != checkpoint.Architecture.VocabularySize)
            throw new GateFailedException($"The exported model has {model.VocabularySize:N0} tokens and the checkpoint "
                + $"{checkpoint.Architecture.VocabularySize:N0}: they are not the same model.");
        using var reference = new TorchReferenceModel(checkpoint.LoadWeights());
        int all = inputs.Prompts.Count + inputs.Sequences.Count;
        var report = new ParityGate(reference, model).Run(
            inputs, allowed, share =>
                context.Progress.Report(new StageProgress(Math.Round(share * all), all, "sequences")), context.Cancellation);
        context.Progress.End();
        return report;
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

    // Equal logits say little when the two read the same text as other ids.
    private static void RequireSameWords(string exported, ChatEncoder encoder, Checkpoint checkpoint)
    {
        if (checkpoint.Tokenizer is null) return;
        if (Tokenizer.Load(checkpoint.Folder).Fingerprint != encoder.Tokenizer.Fingerprint)
            throw new GateFailedException(
                $"'{exported}' and '{checkpoint.Folder}' have different tokenizers: they are not the same model.");
    }
}

/// <summary>
/// What the parity gate runs when no run's problems are at hand: held-out problems of every family, put as they are put to a model.
/// </summary>
internal static class ParityPrompts
{
    private const int WholeSequences = 8;

    /// <exception cref="InvalidDataException">The model's context has no room for any of them.</exception>
    public static ParityInputs Make(ChatEncoder encoder, int maxLength, int count, int newTokens)
    {
        ProblemSetPart[] parts = [.. ProblemFamilies.All.Select(family => new ProblemSetPart(family.Name, 1))];
        var problems = ProblemSet.Generate(parts, 0, Split.Test, count);
        List<(int[] Prompt, int[] Whole)> fitting = [];
        foreach (var problem in problems)
        {
            int[] prompt = encoder.EncodePrompt(ProblemPrompt.Messages(problem));
            if (prompt.Length >= maxLength) continue;
            int[] whole = [.. prompt, .. encoder.Tokenizer.Encode(SolutionText.Of(problem) ?? problem.ReferenceAnswer)];
            fitting.Add((prompt, whole[..Math.Min(whole.Length, maxLength)]));
        }

        if (fitting.Count == 0)
            throw new InvalidDataException($"The model reads {maxLength} tokens; no prompt of the problem families fits.");
        return new ParityInputs
        {
            Sequences = [.. fitting.Take(WholeSequences).Select(pair => pair.Whole)],
            Prompts = [.. fitting.Select(pair => pair.Prompt)],
            MaxNewTokens = newTokens,
            StopTokens = encoder.EndTokens,
        };
    }
}
