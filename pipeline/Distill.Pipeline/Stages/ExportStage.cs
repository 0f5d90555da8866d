using Distill.Architecture;
using Distill.Export;
using Distill.Export.Package;
using Distill.Export.Quantization;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Data;

namespace Distill.Pipeline.Stages;

/// <summary>The last student as an ONNX model folder, opened and run once before it counts as made.</summary>
internal sealed class ExportStage(DistillationRecipe recipe, string student) : IStage
{
    public const string StageName = "onnx";

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = "6-onnx",
        Kind = "onnx-model",
        Version = 2, // every end token, types for the browser, Foundry Local
        Inputs = recipe.Export.Calibration is null ? [student] : [student, CurationStage.StageName],
        Options = StageDeclaration.OptionsOf(
            ("export", recipe.Export.ToKey(recipe)), ("name", recipe.Name), ("teacher", recipe.TraceOrigin),
            ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle()))),
    };

    public string Work => $"{student} student as {Precision.Name()}";

    private Distill.Export.ExportPrecision Precision => recipe.Export.Precision;

    public StageLoad Load(Foresight earlier) =>
        new(WorkKind.Export, 1)
        {
            Model = ExternalInputs.Base, BytesPerParameter = Precision.BytesPerParameter(), Setting = Precision.Name(),
        };

    public string Run(StageContext context)
    {
        var input = context.Input(student);
        var checkpoint = Checkpoint.Open(input.CheckpointFolder);
        var tokenizer = checkpoint.Tokenizer
            ?? throw new InvalidDataException($"'{checkpoint.Folder}' has no tokenizer.json: an exported model needs one.");
        var description = new PackageDescription
        {
            Name = recipe.Name,
            Teacher = recipe.TraceOrigin,
            Digests = new Dictionary<string, string> { ["checkpoint"] = input.Digest },
            Prompt = recipe.Prompt.ToStudentStyle(),
        };
        foreach (string leftover in Directory.EnumerateFileSystemEntries(context.Folder)
            .Where(path => !Path.GetFileName(path).StartsWith('.')))
        {
            if (Directory.Exists(leftover)) Directory.Delete(leftover, recursive: true);
            else File.Delete(leftover);
        }

        string words = Write(context, checkpoint, tokenizer, description);
        long bytes = 0;
        foreach (string path in Directory.EnumerateFiles(context.Folder, "*", SearchOption.AllDirectories)
            .Where(path => !Path.GetFileName(path).StartsWith('.')))
            bytes += context.Writer.Add(Path.GetRelativePath(context.Folder, path).Replace(Path.DirectorySeparatorChar, '/')).Bytes;
        context.Worked(new WorkDone(1, Units: checkpoint.Architecture.ParameterCount));
        return $"{checkpoint.Architecture.ParameterCount:N0} parameters as {Precision.Name()}, {bytes / 1e6:F1} MB{words}";
    }

    /// <summary>How the codes of an exported model were chosen; null where each weight was rounded to nearest.</summary>
    public static QuantizationRecord? ReadQuantization(StageInput exported) =>
        exported.FilesWith(QuantizationRecord.FileName) is [var file] ? QuantizationRecord.Read(exported.PathOf(file.Path)) : null;

    private string Write(StageContext context, Checkpoint checkpoint, TokenizerFiles tokenizer, PackageDescription description)
    {
        using var opened = checkpoint.OpenWeights();
        var chosen = StageQuantization.Choose(recipe, context, checkpoint, opened.Weights);
        ModelPackage.Write(
            context.Folder, chosen?.Weights ?? opened.Weights, tokenizer, description,
            chosen?.Options(Precision) ?? new() { Precision = Precision });
        PackageCheck.Run(context.Folder, Precision);
        if (chosen is null) return "";
        var record = chosen.Measure(context.Folder, tokenizer, Precision);
        File.WriteAllBytes(Path.Combine(context.Folder, QuantizationRecord.FileName), record.ToBytes());
        ModelPackage.Describe(context.Folder, opened.Weights.Architecture, description with { Forms = record.Forms }, Precision);
        return $", {chosen.Words}";
    }
}
