using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Pipeline.Store;

/// <summary>A link of a run that leads to an artefact.</summary>
/// <param name="Link">Its name in the run's folder, e.g. <c>4-sft</c>.</param>
internal sealed record ArtifactUse(string Run, string Link);

/// <summary>An artefact of a store, work that may become one, or what was damaged; and who uses it.</summary>
/// <param name="Digest">Of the manifest; null where there is none that can be read.</param>
/// <param name="IsBeingMade">Some process works on its key.</param>
internal sealed record CataloguedArtifact(
    StoreEntry Entry, string? Digest, IReadOnlyList<ArtifactUse> Uses, bool IsPinned, bool IsBeingMade)
{
    public const int ShortLength = 12;

    private const string VersionMark = "~";

    public ArtifactOrigin Origin { get; } = ArtifactOrigin.Of(Entry.Manifest);

    public bool IsFinished => Entry.State == StoreEntryState.Finished;

    /// <summary>The stage that made it; its kind where that is not known.</summary>
    public string Name => Origin.Stage ?? Entry.Kind;

    public string Summary => Entry.Manifest?.Facts.GetValueOrDefault(StageKey.SummaryFact) ?? "";

    /// <summary>
    /// What commands may call it: the beginning of its key, with the version where that is not the first. Of what was set aside, its
    /// folder.
    /// </summary>
    public string Reference => Entry.Key is not { } key ? Entry.Folder
        : key.Digest[..ShortLength] + (Entry.Version > 1 ? $"{VersionMark}{Entry.Version}" : "");

    /// <param name="digits">Of the digest or of the key; <c>~2</c> after them means the second version.</param>
    public bool IsCalled(string digits)
    {
        string[] parts = digits.Split(VersionMark);
        if (Entry.Key is not { } key || (parts.Length == 2 && parts[1] != $"{Entry.Version}")) return false;
        return key.Digest.StartsWith(parts[0], StringComparison.OrdinalIgnoreCase)
            || Digest?.StartsWith(parts[0], StringComparison.OrdinalIgnoreCase) == true;
    }
}

/// <summary>What an artefact says it was made from.</summary>
/// <param name="Stage">Null for what no stage made.</param>
/// <param name="Inputs">Digests of artefacts and of the recipe's models, by name.</param>
/// <param name="Key">The text of its key; null for what no stage made.</param>
internal sealed record ArtifactOrigin(string? Stage, IReadOnlyDictionary<string, string> Inputs, string? Key)
{
    public static ArtifactOrigin Of(ArtifactManifest? manifest)
    {
        if (manifest?.Facts.GetValueOrDefault(StageKey.TextFact) is { } text && Parse(text) is { } origin) return origin;
        return new(null, manifest?.Parents.ToDictionary(parent => parent) ?? [], null);
    }

    private static ArtifactOrigin? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text) is JsonObject key && key["stage"] is JsonValue stage && key["inputs"] is JsonObject inputs
                ? new(stage.GetValue<string>(), inputs.ToDictionary(input => input.Key, input => input.Value!.GetValue<string>()), text)
                : null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null; // written by something else than a stage
        }
    }
}

/// <summary>
/// Everything in the store of a folder of runs, and which runs link to it. Made by looking through all of both, which only commands about
/// the store do; runs never need it. A picture of one moment.
/// </summary>
internal sealed class ArtifactCatalogue
{
    private readonly Dictionary<string, CataloguedArtifact> byDigest;

    private ArtifactCatalogue(string runsFolder, ArtifactStore store, IReadOnlyList<CataloguedArtifact> items)
    {
        (RunsFolder, Store, Items) = (runsFolder, store, items);
        byDigest = items.Where(item => item.Digest is not null).GroupBy(item => item.Digest!)
            .ToDictionary(group => group.Key, group => group.OrderByDescending(Rank).First());
    }

    /// <summary>Absolute.</summary>
    public string RunsFolder { get; }

    public ArtifactStore Store { get; }

    /// <summary>In order of kind and key.</summary>
    public IReadOnlyList<CataloguedArtifact> Items { get; }

    public static ArtifactCatalogue Read(string runsFolder, TimeProvider clock)
    {
        runsFolder = Path.GetFullPath(runsFolder);
        var store = new ArtifactStore(Path.Combine(runsFolder, ArtifactStore.FolderName), clock);
        var uses = UsesIn(runsFolder).ToLookup(use => (use.Key, use.Version), use => use.Use);
        return new ArtifactCatalogue(runsFolder, store, [.. store.Entries().Select(entry => entry.Key is not { } key
            ? new CataloguedArtifact(entry, entry.Manifest?.Digest, [], false, false)
            : new CataloguedArtifact(
                entry, entry.Manifest?.Digest, [.. uses[(key, entry.Version)]],
                store.IsPinned(key, entry.Version), store.IsBeingMade(key)))]);
    }

    /// <summary>What some runs link to, and nothing else: takes as long as they have artefacts, however large the store is.</summary>
    public static ArtifactCatalogue Of(string runsFolder, IEnumerable<string> runs, TimeProvider clock)
    {
        runsFolder = Path.GetFullPath(runsFolder);
        var store = new ArtifactStore(Path.Combine(runsFolder, ArtifactStore.FolderName), clock);
        var uses = runs.Distinct().SelectMany(run => UsesOf(runsFolder, run)).ToLookup(use => (use.Key, use.Version), use => use.Use);
        return new ArtifactCatalogue(runsFolder, store, [..
            from place in uses
            let key = place.Key.Key
            let version = place.Key.Version
            let folder = store.FolderOf(key, version)
            let entry = Directory.Exists(folder) ? StoreEntry.TryOf(store, key.Kind, folder) : null
            where entry is not null
            select new CataloguedArtifact(
                entry, entry.Manifest?.Digest, [.. place], store.IsPinned(key, version), store.IsBeingMade(key))]);
    }

    /// <summary>The artefact of a digest; of several that are equal, one that is whole and used.</summary>
    public CataloguedArtifact? Find(string digest) => byDigest.GetValueOrDefault(digest);

    /// <summary>What a link of a run leads to; null when it is no link into this store, or what it led to is gone.</summary>
    public CataloguedArtifact? At(string run, string link) => Items.FirstOrDefault(item => item.Uses.Contains(new ArtifactUse(run, link)));

    /// <summary>What a run links to.</summary>
    public IReadOnlyList<CataloguedArtifact> Of(string run) => [.. Items.Where(item => item.Uses.Any(use => use.Run == run))];

    private static int Rank(CataloguedArtifact item) =>
        (item.IsFinished ? 4 : 0) + (item.Entry.Key is not null ? 2 : 0) + (item.Uses.Count > 0 || item.IsPinned ? 1 : 0);

    // Every folder that links into the store counts as a user, also one that is no run (any more): better too many than one too few.
    private static IEnumerable<(StoreKey Key, int Version, ArtifactUse Use)> UsesIn(string runsFolder) =>
        !Directory.Exists(runsFolder) ? [] :
        from path in Directory.EnumerateDirectories(runsFolder).Order(StringComparer.Ordinal)
        let name = Path.GetFileName(path)
        where name[0] != '.'
        from use in UsesOf(runsFolder, name)
        select use;

    private static IEnumerable<(StoreKey Key, int Version, ArtifactUse Use)> UsesOf(string runsFolder, string run) =>
        new RunFolder(runsFolder, run).Links().Select(link => (link.Value.Key, link.Value.Version, new ArtifactUse(run, link.Key)));
}
