using System.Text;
using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Package;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Training;
using Distill.Storage;

namespace Distill.Pipeline.Store;

/// <summary>Where a lineage begins: an artefact, a run's model, or a model folder, wherever it was copied to.</summary>
/// <param name="Notes">What a reader must know of it.</param>
internal sealed record LineageRoots(IReadOnlyList<LineageNode> Nodes, IReadOnlyList<string> Notes)
{
    private const string Weights = ".safetensors";

    private const int LargestDescription = 1 << 20;

    /// <exception cref="RunRefusedException">It names nothing that can be told.</exception>
    public static LineageRoots Find(ArtifactCatalogue catalogue, string word)
    {
        if (Directory.Exists(word) && !ArtifactReference.LeadsIntoStore(word) && OfFolder(catalogue, word) is { } roots) return roots;
        return ArtifactReference.IsRun(word, catalogue.RunsFolder)
            ? OfRun(catalogue, Path.GetFileName(Path.TrimEndingDirectorySeparator(word)))
            : Of(ArtifactReference.Find(catalogue, word));
    }

    private static LineageRoots Of(params IReadOnlyList<CataloguedArtifact> artifacts) => new([.. artifacts.Select(Lineage.NodeOf)], []);

    // The model; of a run that has none yet, whatever nothing else of it was made from.
    private static LineageRoots OfRun(ArtifactCatalogue catalogue, string run)
    {
        if (catalogue.At(run, RunFolder.ModelLink) is { } model) return Of(model);
        var items = catalogue.Of(run);
        var used = items.SelectMany(item => item.Origin.Inputs.Values).ToHashSet();
        CataloguedArtifact[] tops = [.. items.Where(item => item.Digest is null || !used.Contains(item.Digest))];
        return tops.Length > 0 ? Of(tops) : throw new RunRefusedException($"The run '{run}' has no artefacts yet.");
    }

    // Null for a folder that is no model.
    private static LineageRoots? OfFolder(ArtifactCatalogue catalogue, string folder)
    {
        string described = Path.Combine(folder, PackageProvenance.FileName);
        if (File.Exists(described)) return OfPackage(catalogue, folder, described);
        string[] weights = [.. Directory.EnumerateFiles(folder, "*" + Weights)];
        if (weights.Length == 0) return null;
        var made = Holding(catalogue, [.. weights.Select(catalogue.Store.Digests.Of)]);
        return made is not null ? new([Lineage.NodeOf(made)], [$"'{folder}' has the weights of this artefact."])
            : throw new RunRefusedException($"'{folder}' is a checkpoint that no run in {catalogue.RunsFolder} made, or whose artefact "
                + $"was removed.");
    }

    private static LineageRoots OfPackage(ArtifactCatalogue catalogue, string folder, string described)
    {
        string[] notes = [.. PackageIntegrity.Check(folder).Select(fault => $"{fault} What follows is about the model that was exported.")];
        string digest = FileDigest.OfFile(described);
        string[] files = [.. PackageProvenance.Read(folder)!.Files.Select(file => file.Sha256)];
        // The description itself tells a run's model from the bare export, whose other files are the same.
        if (Holding(catalogue, [digest]) is { } same || (files.Length > 0 && (same = Holding(catalogue, files)) is not null))
            return new([Lineage.NodeOf(same!)], notes);
        var inputs = DigestsIn(described);
        if (inputs.TryGetValue("checkpoint", out string? checkpoint) && ExportedFrom(catalogue, checkpoint) is { } source)
            inputs["checkpoint"] = source;
        var root = new LineageNode(digest, Path.GetFileName(Path.GetFullPath(folder)), "model folder", null, null, "",
            LineageState.External, Path.GetFullPath(folder), inputs);
        return new([root], [.. notes, $"No artefact of {catalogue.RunsFolder} has these files; what follows is what the folder's "
            + $"{PackageProvenance.FileName} says it was made from."]);
    }

    /// <summary>An artefact with files of all these digests; of several, the one that the others were made from.</summary>
    private static CataloguedArtifact? Holding(ArtifactCatalogue catalogue, IReadOnlyList<string> digests)
    {
        var found = catalogue.Items.Where(item => item.Digest is not null && item.Entry.Key is not null)
            .Where(item => item.Entry.Manifest!.Files.Select(file => file.Sha256).ToHashSet() is var files && digests.All(files.Contains))
            .ToList();
        return found.OrderByDescending(item => item.IsFinished)
            .ThenByDescending(item => found.Any(other => other.Origin.Inputs.Values.Contains(item.Digest)))
            .ThenByDescending(item => item.Uses.Count).FirstOrDefault();
    }

    // 'distill export' knows a checkpoint by names and digests of its files, whether or not it lies in a store.
    private static string? ExportedFrom(ArtifactCatalogue catalogue, string checkpoint) => catalogue.Items
        .Where(item => item.Digest is not null && DigestAsCheckpoint(item.Entry.Manifest!) == checkpoint)
        .Select(item => item.Digest).FirstOrDefault();

    private static string DigestAsCheckpoint(ArtifactManifest manifest)
    {
        const string folder = TrainedStudent.CheckpointFolder + "/";
        var lines = manifest.Files.Where(file => file.Path.StartsWith(folder, StringComparison.Ordinal))
            .Select(file => (Name: file.Path[folder.Length..], file.Sha256))
            .Where(file => !file.Name.Contains('/'))
            .Where(file => file.Name.EndsWith(Weights, StringComparison.Ordinal) || file.Name == DecoderConfigJson.FileName)
            .OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => $"{file.Name} {file.Sha256}\n");
        return FileDigest.Of(Encoding.UTF8.GetBytes(string.Concat(lines)));
    }

    private static Dictionary<string, string> DigestsIn(string described)
    {
        using var document = BoundedJson.Read(described, LargestDescription);
        return document.RootElement.TryGetProperty("digests", out var digests) && digests.ValueKind == JsonValueKind.Object
            ? digests.EnumerateObject()
                .Where(pair => pair.Value.ValueKind == JsonValueKind.String && FileDigest.IsValid(pair.Value.GetString()!))
                .ToDictionary(pair => pair.Name, pair => pair.Value.GetString()!)
            : [];
    }
}
