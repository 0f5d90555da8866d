using System.CommandLine;
using System.Text;
using Distill.Architecture;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Data.Storage;
using Distill.Export;
using Distill.Export.Package;
using Distill.Pipeline.Models;

namespace Distill.Cli.Commands;

/// <summary><c>distill export</c>: checkpoint → ONNX folder.</summary>
internal sealed class ExportCommand : DistillCommand
{
    // Quantized operators round what they read, differently with and without the cache.

    private readonly Argument<string> checkpoint =
        new("CHECKPOINT") { Description = "Folder with config.json, safetensors and tokenizer.json." };

    private readonly Option<string> precision =
        CommandOptions.Word("--precision", "Number format of the weights.", ExportPrecisions.Names, "fp32");

    private readonly Option<string> output = new("--out") { HelpName = "DIR", Description = "Folder to make.", Required = true };

    private readonly Option<string> name =
        new("--name") { HelpName = "TEXT", Description = "Title of the model card. Default: the checkpoint folder's name." };

    private readonly Option<string> license = new("--license")
    {
        HelpName = "SPDX",
        Description = "License of the weights, for the model card. Default other.",
        DefaultValueFactory = _ => "other",
    };

    private readonly Option<bool> force = new("--force") { Description = "Replace an exported model in DIR." };

    public ExportCommand()
        : base("export", "Turns a checkpoint into an ONNX folder that ONNX Runtime, ONNX Runtime GenAI and transformers.js load; "
            + "checks that it runs.")
    {
        Arguments.Add(checkpoint);
        foreach (var option in (Option[])[precision, output, name, license, force]) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill export student/models/tiny-base --out /tmp/tiny-onnx",
        "distill export student/models/tiny-base --precision int4 --out /tmp/tiny-int4 --force",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        long start = context.Clock.GetTimestamp();
        string target = Path.GetFullPath(parsed.GetRequiredValue(output));
        RequireFree(target, parsed.GetValue(force));
        var source = ModelFolders.OpenCheckpoint(HubAccess.Locate(parsed.GetRequiredValue(checkpoint), context, PulledModel.Checkpoint));
        var tokenizer = source.Tokenizer ?? throw new UsageException(
            $"'{source.Folder}' has no {TokenizerFiles.TokenizerName}.",
            "An exported model carries its tokenizer; put it into the checkpoint's folder.");
        var format = ExportPrecisions.Parse(parsed.GetRequiredValue(precision))!.Value;
        string title = parsed.GetValue(name) ?? ModelFolders.NameOf(source.Folder);
        OutputPlace.RequireFolder("--out", target);
        context.Progress.Begin("export", $"{source.Architecture.ParameterCount:N0} parameters, {format.Name()}");
        ReplacedFolder.Write(target, folder =>
        {
            ModelPackage.Write(folder, source.LoadWeights(), tokenizer, Describe(title, parsed.GetRequiredValue(license), source), format);
            context.Cancellation.ThrowIfCancellationRequested();
            PackageCheck.Run(folder, format);
            context.Cancellation.ThrowIfCancellationRequested();
        });
        context.Progress.End();
        Report(context, target, format, source, start);
        return ExitCode.Done;
    }

    private static void Report(CommandContext context, string target, ExportPrecision format, Checkpoint source, long start)
    {
        var elapsed = context.Clock.GetElapsedTime(start);
        long bytes = Directory.EnumerateFiles(target, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        if (context.IsJson)
        {
            context.Results.Json(new
            {
                folder = target, precision = format.Name(), parameters = source.Architecture.ParameterCount, bytes,
                seconds = Math.Round(elapsed.TotalSeconds, 3),
            });
        }

        context.Results.Line($"model    {target}");
        context.Results.Line($"size     {bytes / 1e6:N1} MB, {format.Name()}, {source.Architecture.ParameterCount:N0} parameters");
        context.Results.Line($"time     {Readable.Duration(elapsed)}");
        if (!format.RunsOnProcessor()) context.Results.Line($"check    files and types only: a CPU cannot run {format.Name()}");
        context.Results.Line($"next     {ShellWord.Join(["distill", "verify", target, "--against", source.Folder])}");
    }

    private static PackageDescription Describe(string title, string license, Checkpoint source) => new()
    {
        Name = title,
        Summary = "Exported by `distill export`.",
        License = license,
        Digests = new Dictionary<string, string> { ["checkpoint"] = Digest(source.Folder) },
    };

    // Of the names and digests of the files that make the model; which shard holds what follows from them.
    private static string Digest(string folder)
    {
        var files = Directory.EnumerateFiles(folder, "*.safetensors").Append(Path.Combine(folder, DecoderConfigJson.FileName))
            .Order(StringComparer.Ordinal);
        string lines = string.Concat(files.Select(file => $"{Path.GetFileName(file)} {FileDigest.OfFile(file)}\n"));
        return FileDigest.Of(Encoding.UTF8.GetBytes(lines));
    }

    private static void RequireFree(string target, bool force)
    {
        if (File.Exists(target)) throw new UsageException($"'{target}' is a file.", "Give a folder with --out DIR.");
        if (!Directory.Exists(target) || !Directory.EnumerateFileSystemEntries(target).Any()) return;
        if (!ModelFolders.IsOnnx(target))
            throw new UsageException($"'{target}' holds something else than an exported model.", "Give another folder with --out DIR.");
        if (!force)
            throw new UsageException($"'{target}' holds a model already.", "Give another folder with --out DIR, or --force to replace it.");
    }
}
