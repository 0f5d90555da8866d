using Distill.Hub;
using Distill.Pipeline.Models;

namespace Distill.Pipeline.Recipes.Binding;

/// <summary>
/// What stands behind the <c>hf://</c> paths of a recipe. A recipe is bound twice where it has some: first without them, so that gigabytes
/// are not received for a recipe with a misspelled key, then with the folders that they were pulled to.
/// </summary>
internal sealed class HubPaths
{
    private readonly List<Wanted> wanted = [];
    private readonly Dictionary<string, HubSnapshot> pulled = [];
    private readonly HashSet<string> left = [];

    private sealed record Wanted(string Path, HubReference Reference, PulledModel Kind, RecipeNode Node);

    /// <summary>By the option's path, e.g. <c>teacher.model</c>.</summary>
    public IReadOnlyDictionary<string, HubSnapshot> Pulled => pulled;

    /// <summary>Whether there is something to pull.</summary>
    public bool IsWanted => wanted.Count > 0;

    /// <returns>The folder; null before it was pulled, and where it is left out.</returns>
    public string? FolderOf(string path, HubReference reference, PulledModel kind, RecipeNode node)
    {
        if (pulled.TryGetValue(path, out var snapshot)) return snapshot.LocalPath;
        if (!left.Contains(path)) wanted.Add(new Wanted(path, reference, kind, node));
        return null;
    }

    /// <summary>Nobody needs this one now.</summary>
    public void Leave(string path)
    {
        left.Add(path);
        wanted.RemoveAll(one => one.Path == path);
    }

    /// <exception cref="HubException">One cannot be had.</exception>
    public void Pull(IModelSource models)
    {
        foreach (var (path, reference, kind, _) in wanted) pulled[path] = models.Pull(reference, kind);
        wanted.Clear();
    }

    /// <summary>From the cache alone; what is not there is a fault of the recipe as it stands.</summary>
    public void PullCached(ICollection<RecipeProblem> problems)
    {
        var models = new CachedModels();
        foreach (var (path, reference, kind, node) in wanted)
        {
            try
            {
                pulled[path] = models.Pull(reference, kind);
            }
            catch (HubException missing) when (missing.Fault is HubFault.Offline or HubFault.NoFile)
            {
                problems.Add(new(path, node.Place, node.Shown, "not on this machine", $"get it: distill pull {reference}"));
            }
        }

        wanted.Clear();
    }
}
