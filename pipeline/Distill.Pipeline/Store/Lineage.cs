using Distill.Pipeline.Graph;

namespace Distill.Pipeline.Store;

internal enum LineageState
{
    /// <summary>In the store.</summary>
    Finished,

    /// <summary>In the store, and not what was committed.</summary>
    Damaged,

    /// <summary>It was in the store; what was made from it still says so.</summary>
    Removed,

    /// <summary>A model that a recipe brought along, or a folder outside of the store.</summary>
    External,
}

/// <param name="Digest">Of the artefact or the model; empty for a folder that is neither.</param>
/// <param name="Name">The stage, or what the model is to it.</param>
/// <param name="Kind">Null where it is not known.</param>
/// <param name="Reference">What commands may call it; null for what is not in the store.</param>
/// <param name="StageVersion">Of the code that made it.</param>
/// <param name="Summary">What came out, in a line; may be empty.</param>
/// <param name="Folder">Null where it is not known.</param>
/// <param name="Inputs">Digests, by name.</param>
internal sealed record LineageNode(
    string Digest, string Name, string? Kind, string? Reference, int? StageVersion, string Summary, LineageState State, string? Folder,
    IReadOnlyDictionary<string, string> Inputs);

/// <summary>What artefacts were made from, down to the problems and the models that recipes brought along.</summary>
/// <param name="Roots">Where it begins.</param>
/// <param name="Nodes">Everything below them, by digest.</param>
/// <param name="Notes">What a reader must know besides.</param>
internal sealed record Lineage(
    IReadOnlyList<LineageNode> Roots, IReadOnlyDictionary<string, LineageNode> Nodes, IReadOnlyList<string> Notes)
{
    // What comes from outside has these names among the inputs of a stage, or the second ones in the description of an exported model.
    private static readonly Dictionary<string, string> Outside = new()
    {
        [ExternalInputs.Teacher] = ExternalInputs.Teacher, [ExternalInputs.Base] = ExternalInputs.Base,
        [ExternalInputs.Start] = ExternalInputs.Start, [ExternalInputs.TokenizerFolder] = ExternalInputs.TokenizerFolder,
        ["teacher"] = ExternalInputs.Teacher, ["base"] = ExternalInputs.Base,
        [ExternalInputs.Traces] = ExternalInputs.Traces, ["recipe"] = "recipe",
        [ExternalInputs.Returned] = ExternalInputs.Returned, [ExternalInputs.HandedOver] = ExternalInputs.HandedOver,
    };

    /// <param name="models">Knows where models from outside lie.</param>
    public static Lineage Of(ArtifactCatalogue catalogue, LineageRoots roots, ExternalModels models)
    {
        var nodes = new Dictionary<string, LineageNode>(StringComparer.Ordinal);
        var wanted = new Stack<(string Name, string Digest)>(
            roots.Nodes.SelectMany(root => root.Inputs).Reverse().Select(input => (input.Key, input.Value)));
        while (wanted.TryPop(out var next))
        {
            if (nodes.ContainsKey(next.Digest)) continue;
            var node = NodeOf(catalogue, next.Name, next.Digest, models);
            nodes[next.Digest] = node;
            foreach (var (name, digest) in node.Inputs.Reverse()) wanted.Push((name, digest));
        }

        return new Lineage(roots.Nodes, nodes, roots.Notes);
    }

    public static LineageNode NodeOf(CataloguedArtifact artifact) => new(
        artifact.Digest ?? "", artifact.Name, artifact.Entry.Kind, artifact.Reference, artifact.Entry.Manifest?.StageVersion,
        artifact.Summary, artifact.IsFinished ? LineageState.Finished : LineageState.Damaged,
        artifact.Entry.Folder, artifact.Origin.Inputs);

    // Further teachers are counted from 2, in both spellings.
    private static string? RoleOf(string name) => Outside.TryGetValue(name, out string? role) ? role
        : name.StartsWith(ExternalInputs.Teacher + "-", StringComparison.Ordinal) ? name
        : name.StartsWith("teacher-", StringComparison.Ordinal) ? $"{ExternalInputs.Teacher}{name["teacher".Length..]}" : null;

    private static LineageNode NodeOf(ArtifactCatalogue catalogue, string name, string digest, ExternalModels models)
    {
        if (catalogue.Find(digest) is { } artifact) return NodeOf(artifact);
        var none = new Dictionary<string, string>();
        return RoleOf(name) is { } role
            ? new(digest, name, null, null, null, "", LineageState.External, role == "recipe" ? null : models.Find(role, digest), none)
            : new(digest, name, null, null, null, "", LineageState.Removed, null, none);
    }
}
