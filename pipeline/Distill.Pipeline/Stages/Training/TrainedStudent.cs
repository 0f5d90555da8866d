using Distill.Data.Storage;
using Distill.Pipeline.Graph;
using Distill.Architecture;
using Distill.Student.Model;
using System.Globalization;

namespace Distill.Pipeline.Stages.Training;

/// <summary>What every training leaves, and where its unfinished work lies.</summary>
internal static class TrainedStudent
{
    /// <summary>The checkpoint in a training's artefact.</summary>
    public const string CheckpointFolder = "checkpoint";

    private const string StateName = "state.safetensors";

    public static string StatePath(StageContext context) => Path.Combine(context.Folder, StateName);

    public static void Save(StageContext context, FlatParameters parameters, TokenizerFiles? tokenizer)
    {
        Checkpoint.Save(Path.Combine(context.Folder, CheckpointFolder), parameters.ToWeightSet(), tokenizer);
        context.AddFolder(CheckpointFolder);
    }

    public static DecoderArchitecture ArchitectureOf(Artifact training) =>
        DecoderConfigJson.Read(training.PathOf($"{CheckpointFolder}/{DecoderConfigJson.FileName}"));
}

/// <summary>Checkpoints of the last looks at held-out data. A look that is done again after a restart writes the same folder again.</summary>
/// <param name="keep">How many; 0 keeps none.</param>
internal sealed class KeptCheckpoints(StageContext context, int keep, TokenizerFiles? tokenizer)
{
    public const string FolderName = "kept";

    private readonly string root = Path.Combine(context.Folder, FolderName);

    public void Add(int step, FlatParameters parameters)
    {
        if (keep == 0) return;
        Checkpoint.Save(Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"step-{step:D7}")), parameters.ToWeightSet(), tokenizer);
        foreach (string old in Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal).SkipLast(keep).ToList()) Directory.Delete(old, recursive: true);
    }

    public void AddToArtifact()
    {
        if (Directory.Exists(root)) context.AddFolder(FolderName);
    }
}
