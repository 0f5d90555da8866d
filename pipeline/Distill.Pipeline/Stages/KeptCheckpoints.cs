using System.Globalization;
using Distill.Architecture;
using Distill.Pipeline.Runs;
using Distill.Student.Model;

namespace Distill.Pipeline.Stages;

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
