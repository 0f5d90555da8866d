using Distill.Hub;

namespace Distill.Pipeline.Models;

/// <summary>
/// The models of a recipe that came from the Hub, by the option that names them, e.g. <c>teacher.model</c>. All are equal: where a model
/// lies is said by its option, and this only tells where it came from. Immutable.
/// </summary>
internal sealed class PulledModels(IReadOnlyDictionary<string, HubSnapshot> models) : IEquatable<PulledModels>
{
    public static PulledModels None { get; } = new(new Dictionary<string, HubSnapshot>());

    /// <summary><c>hf://owner/name@commit</c>; null for what lies on this machine by itself.</summary>
    public string? OriginOf(string option) => models.TryGetValue(option, out var snapshot) ? $"{snapshot.Reference}" : null;

    /// <summary>The same by the folder that it was pulled to.</summary>
    public string? OriginOfFolder(string folder) =>
        models.Values.FirstOrDefault(snapshot => snapshot.LocalPath == folder) is { } snapshot ? $"{snapshot.Reference}" : null;

    /// <summary>The files that were pulled for an option, as paths below its folder; null for what was not pulled.</summary>
    public IReadOnlyList<string>? FilesOf(string option) => models.TryGetValue(option, out var snapshot)
        ? [.. snapshot.Files.Select(file => RepositoryPath.From(file, snapshot.Reference.Path))] : null;

    /// <summary>The same for a recipe whose option names something else by now.</summary>
    public PulledModels Without(string option) => new(models.Where(model => model.Key != option).ToDictionary());

    public bool Equals(PulledModels? other) => other is not null;

    public override bool Equals(object? obj) => Equals(obj as PulledModels);

    public override int GetHashCode() => 0;
}

/// <summary>What a model is called that nobody named: as its folder, or as its repository where that is a commit in a cache.</summary>
internal static class ModelName
{
    private const string Separator = "--";

    private static readonly string[] Kinds = ["models--", "datasets--"];

    public static string Of(string folder)
    {
        if (folder.Length == 0) return "";
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        for (var at = new DirectoryInfo(full); at.Parent is { } parent; at = parent)
        {
            if (parent.Name == "snapshots" && parent.Parent is { } cache
                && Kinds.Any(kind => cache.Name.StartsWith(kind, StringComparison.Ordinal)))
                return cache.Name[(cache.Name.LastIndexOf(Separator, StringComparison.Ordinal) + Separator.Length)..];
        }

        return Path.GetFileName(full);
    }

    /// <summary>The repository of a folder in the Hub's cache, <c>owner/name</c>; null for any other folder.</summary>
    public static string? RepositoryOf(string folder)
    {
        for (var at = new DirectoryInfo(Path.GetFullPath(folder)); at.Parent is { } parent; at = parent)
        {
            if (parent is not { Name: "snapshots", Parent.Name: var cache }) continue;
            if (!cache.StartsWith(Kinds[0], StringComparison.Ordinal)) return null;
            return cache[Kinds[0].Length..].Split(Separator) is [var owner, var name] ? $"{owner}/{name}" : null;
        }

        return null;
    }
}
