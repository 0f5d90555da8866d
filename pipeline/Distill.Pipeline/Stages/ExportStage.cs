using Distill.Architecture;
using Distill.Export;
using Distill.Export.Package;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;

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
        Version = 1,
        Inputs = [student],
        Options = StageDeclaration.OptionsOf(
            ("export", recipe.Export.ToKey(recipe)), ("name", recipe.Name), ("teacher", recipe.TraceOrigin),
            ("prompt", PromptSection.KeyOf(recipe.Prompt.ToStudentStyle()))),
    };

    public string Work => $"{student} student as {Precision.Name()}";

    private Distill.Export.ExportPrecision Precision => recipe.Export.Precision;

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

        ModelPackage.Write(context.Folder, checkpoint.LoadWeights(), tokenizer, description, Precision);
        PackageCheck.Run(context.Folder, Precision.Tolerance().RelativeLogits);
        long bytes = 0;
        foreach (string path in Directory.EnumerateFiles(context.Folder, "*", SearchOption.AllDirectories)
            .Where(path => !Path.GetFileName(path).StartsWith('.')))
            bytes += context.Writer.Add(Path.GetRelativePath(context.Folder, path).Replace(Path.DirectorySeparatorChar, '/')).Bytes;
        return $"{checkpoint.Architecture.ParameterCount:N0} parameters as {Precision.Name()}, {bytes / 1e6:F1} MB";
    }
}
