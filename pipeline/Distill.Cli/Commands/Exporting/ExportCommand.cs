using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Storage;

namespace Distill.Cli.Commands.Exporting;

/// <summary><c>distill export</c>: a checkpoint, or a run's student, in the format of those who use it.</summary>
internal sealed class ExportCommand : DistillCommand
{
    private readonly IExportTarget[] targets;
    private readonly Option<string> format;
    private readonly HandoverReturn handover;

    private readonly Argument<string> checkpoint = new("CHECKPOINT")
    {
        Description = "Folder with config.json, safetensors and tokenizer.json; hf://owner/name; or a run's folder, for its student.",
    };

    private readonly Option<string> adapter = new("--adapter")
    {
        HelpName = "DIR",
        Description = "LoRA adapter of CHECKPOINT to merge into it, as peft, Unsloth, TRL and axolotl save it; or hf://owner/name.",
    };

    private readonly Option<string> output = new("--out")
    {
        HelpName = "DIR",
        Description = "Folder to make, or FILE.gguf. Needed without --handover.",
    };

    private readonly Option<string> name = new("--name")
    {
        HelpName = "TEXT",
        Description = "Title of the model card. Default: the checkpoint folder's name. With --handover: name of the run, default RUN-back.",
    };

    private readonly Option<string> license = new("--license")
    {
        HelpName = "SPDX",
        Description = "License of the weights, for the model card. Default: what the checkpoint's card or LICENSE says, else other.",
    };

    private readonly Option<bool> force = new("--force") { Description = "Replace a model of the same format in DIR." };

    public ExportCommand()
        : base("export", "Turns a checkpoint into a folder that ONNX Runtime, ONNX Runtime GenAI, transformers.js and Foundry Local load, "
            + "or into Hugging Face safetensors or a GGUF file; checks that it opens and runs. Nothing lies in DIR until all of it does.")
    {
        var precision = PrecisionOption.Create();
        targets = [new OnnxTarget(precision), new HuggingFaceTarget(), new GgufTarget(precision)];
        format = CommandOptions.Word(
            "--format", "onnx: a folder for ONNX Runtime, GenAI, transformers.js and Foundry Local. hf: Hugging Face safetensors. "
                + "gguf: one file for llama.cpp.",
            [.. targets.Select(target => target.Name)], targets[0].Name);
        Arguments.Add(checkpoint);
        Options.Add(format);
        foreach (var option in targets.SelectMany(target => target.Options).Distinct()) Options.Add(option);
        foreach (var option in (Option[])[output, adapter, name, license, force]) Options.Add(option);
        handover = new(this);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill export student/models/tiny-base --out /tmp/tiny-onnx",
        "distill export student/models/tiny-base --precision int4 --out /tmp/tiny-int4 --force",
        "distill export hf://owner/base --adapter trained/lora --precision int8 --out merged-int8",
        "distill export runs/quickstart --format hf --dtype bf16 --out quickstart-hf",
        "distill export student/models/tiny-base --format gguf --precision q8_0 --out /tmp/tiny.gguf",
        "distill export base --adapter-file trained/maths --adapter-file trained/law --out base-with-adapters",
        "distill export trained/final --handover quickstart-trl-sft",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        if (handover.IsAsked(parsed))
        {
            Option[] others = [format, .. targets.SelectMany(target => target.Options).Distinct(), output, adapter, license, force];
            return handover.Execute(parsed.GetRequiredValue(checkpoint), parsed.GetValue(name), others, parsed, context);
        }

        handover.RequireUnused(parsed);
        long start = context.Clock.GetTimestamp();
        string place = Path.TrimEndingDirectorySeparator(Path.GetFullPath(parsed.GetValue(output) ?? throw new UsageException(
            "Where to?", "Give --out DIR, or --handover DIR for what another trainer made of a hand-over.")));
        var target = targets.Single(each => each.Name == parsed.GetRequiredValue(format));
        RequireFitting(target, parsed);
        string numbers = target.Numbers(parsed);
        RequireFree(place, target, parsed.GetValue(force));
        if (target.WritesFile(place)) OutputPlace.RequireFile("--out", place);
        else OutputPlace.RequireFolder("--out", place);
        using var source = new ExportSource(parsed.GetRequiredValue(checkpoint), parsed.GetValue(adapter), context);
        source.RequireOther(place, target.Reads(parsed));
        var description = source.Describe(parsed.GetValue(name), parsed.GetValue(license));
        context.Progress.Begin("export", $"{source.Architecture.ParameterCount:N0} parameters, {numbers}");
        foreach (string warning in source.Warnings) context.Progress.Line(warning);
        if (target.WritesFile(place)) target.Write(place, source, description, parsed, context.Cancellation);
        else
        {
            ReplacedFolder.Write(place, folder =>
            {
                target.Write(folder, source, description, parsed, context.Cancellation);
                context.Cancellation.ThrowIfCancellationRequested();
            });
        }

        context.Progress.End();
        Report(context, place, target, numbers, source, parsed, start);
        return ExitCode.Done;
    }

    // An option of another format would be ignored without a word.
    private void RequireFitting(IExportTarget target, ParseResult parsed)
    {
        var misplaced = targets.Where(other => other != target)
            .SelectMany(other => other.Options.Except(target.Options).Select(option => (option.Name, Format: other.Name, Option: option)))
            .FirstOrDefault(pair => parsed.GetResult(pair.Option) is { Implicit: false });
        if (misplaced.Name is not null)
            throw new UsageException(
                $"{misplaced.Name} is an option of --format {misplaced.Format}.",
                $"Leave it out, or give --format {misplaced.Format}.");
    }

    private static void Report(
        CommandContext context, string place, IExportTarget target, string numbers, ExportSource source, ParseResult parsed, long start)
    {
        var elapsed = context.Clock.GetElapsedTime(start);
        long bytes = File.Exists(place) ? new FileInfo(place).Length
            : Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        var notes = target.Notes(place, source, parsed).ToList();
        if (context.IsJson)
        {
            context.Results.Json(new
            {
                folder = place, format = target.Name, precision = numbers, parameters = source.Architecture.ParameterCount, bytes,
                seconds = Math.Round(elapsed.TotalSeconds, 3), warnings = source.Warnings,
                notes = notes.Where(note => note.Label == "note").Select(note => note.Text),
                quantization = target.Figures,
            });
        }

        context.Results.Line($"model    {place}");
        context.Results.Line($"size     {bytes / 1e6:N1} MB, {numbers}, {source.Architecture.ParameterCount:N0} parameters");
        context.Results.Line($"time     {Readable.Duration(elapsed)}");
        foreach (var (label, text) in notes) context.Results.Line($"{label,-8} {text}");
        if (target.Table is { } table) context.Results.Table(table.Header, table.Rows);
    }

    private static void RequireFree(string place, IExportTarget target, bool force)
    {
        if (File.Exists(place) && target.WritesFile(place) && !force)
            throw new UsageException($"'{place}' is there already.", "Give another name with --out, or --force to replace it.");
        if (File.Exists(place) && !target.WritesFile(place))
            throw new UsageException($"'{place}' is a file.", "Give a folder with --out DIR.");
        if (!Directory.Exists(place) || !Directory.EnumerateFileSystemEntries(place).Any()) return;
        if (!target.Replaces(place))
            throw new UsageException($"'{place}' holds something else than an exported model.",
                "Only a folder with the files of an export and no others is replaced. Give another folder with --out DIR.");
        if (!force)
            throw new UsageException($"'{place}' holds a model already.", "Give another folder with --out DIR, or --force to replace it.");
    }
}
