using System.CommandLine;
using Distill.Architecture;
using Distill.Cli.Parsing;
using Distill.Export;
using Distill.Generation.Onnx;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Cli.Models;

/// <summary>What a folder given as MODEL is, decided by the files it has; whether they are sound shows when it is opened.</summary>
internal static class ModelFolders
{
    public static Argument<string> Argument(string name = "MODEL") => new(name)
    {
        Description =
            "Folder of an ONNX model (genai_config.json, or config.json and an ONNX file) or a checkpoint (config.json and safetensors), "
            + "or hf://owner/name.",
    };

    public static Option<string> EngineOption() => CommandOptions.Word("--engine",
        "What runs an exported model: onnx runs many rows at once, genai is ONNX Runtime GenAI, one row after another.",
        [.. Enum.GetValues<ModelEngine>().Select(engine => OptionDeclaration.Spell(engine))],
        OptionDeclaration.Spell(ModelEngine.Onnx));

    public static ModelEngine EngineOf(ParseResult parsed, Option<string> option) =>
        Enum.GetValues<ModelEngine>().Single(engine => OptionDeclaration.Spell(engine) == parsed.GetRequiredValue(option));

    /// <inheritdoc cref="ModelName"/>
    public static string NameOf(string folder) => ModelName.Of(folder);

    /// <summary>The precision of an exported model, told by its graph's file name, whoever made it.</summary>
    /// <returns>As on the command line; null for a name that says nothing.</returns>
    public static string? PrecisionOf(string folder)
    {
        string graph = Path.GetFileName(ModelFolder.Open(folder).GraphPath);
        return ExportPrecisions.Names.FirstOrDefault(name => ExportPrecisions.Parse(name)!.Value.GraphFile() == graph);
    }

    public static bool IsOnnx(string folder) => ModelFolder.Announces(folder);

    public static bool IsCheckpoint(string folder) =>
        File.Exists(Path.Combine(folder, DecoderConfigJson.FileName)) && Directory.EnumerateFiles(folder, "*.safetensors").Any();

    /// <exception cref="UsageException">There is no model.</exception>
    public static void RequireModel(string folder)
    {
        RequireFolder(folder);
        if (IsOnnx(folder) || IsCheckpoint(folder)) return;
        throw new UsageException(
            $"'{folder}' is not a model: it is neither an ONNX model ({ModelFolder.ConfigurationFile}, or {DecoderConfigJson.FileName} "
            + $"with an ONNX file) nor a checkpoint ({DecoderConfigJson.FileName} with safetensors).",
            "Give a folder that 'distill run', 'distill export' or 'distill pretrain' made.");
    }

    /// <exception cref="UsageException">There is no tokenizer.</exception>
    public static void RequireTokenizer(string folder)
    {
        RequireFolder(folder);
        if (!File.Exists(Path.Combine(folder, "tokenizer.json")))
            throw new UsageException($"'{folder}' has no tokenizer.json.", "Give a model's folder, or a folder with a tokenizer.");
    }

    /// <exception cref="UsageException">There is no checkpoint.</exception>
    public static Checkpoint OpenCheckpoint(string folder)
    {
        RequireFolder(folder);
        if (IsCheckpoint(folder)) return Checkpoint.Open(folder);
        throw new UsageException($"'{folder}' is not a checkpoint: it lacks {DecoderConfigJson.FileName} or safetensors.",
            IsOnnx(folder) ? "It is an exported model; give the checkpoint it was made from."
            : "Give a folder with a model that was trained or downloaded.");
    }

    /// <exception cref="UsageException">There is no ONNX model.</exception>
    public static void RequireOnnx(string folder)
    {
        RequireFolder(folder);
        if (IsOnnx(folder)) return;
        throw new UsageException(
            $"'{folder}' is not an exported model: it has neither {ModelFolder.ConfigurationFile} "
            + $"nor {DecoderConfigJson.FileName} with an ONNX file.",
            IsCheckpoint(folder) ? "It is a checkpoint; 'distill export' makes an ONNX model of it."
            : "Give a folder that 'distill export' made.");
    }

    private static void RequireFolder(string folder)
    {
        if (Directory.Exists(folder)) return;
        throw new UsageException($"There is no folder '{folder}'.", File.Exists(folder)
            ? "It is a file; give the model folder it lies in." : "Give the path of a model folder.");
    }
}
