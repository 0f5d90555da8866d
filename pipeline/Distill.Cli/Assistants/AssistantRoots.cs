using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Distill.Cli.Output;
using Distill.Hub;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;

namespace Distill.Cli.Assistants;

/// <summary>
/// The folders that an assistant may look into, whatever links and dots its paths have. Recipes are held to them too: every path that one
/// names, and what it builds on. Thread-safe.
/// </summary>
internal sealed partial class AssistantRoots
{
    private const int MostLinks = 40;

    private static readonly string[] AddressKeys = ["endpoint", "network"];

    private readonly IReadOnlyList<string> roots;

    /// <exception cref="UsageException">One is no folder.</exception>
    public AssistantRoots(IEnumerable<string> folders)
    {
        roots = [.. folders.Select(folder => Directory.Exists(folder) ? RealPath(folder)
            : throw new UsageException($"--root '{folder}' is no folder.", "Give a folder that is there."))];
    }

    /// <summary>The first folder, which relative paths are relative to.</summary>
    public string First => roots[0];

    /// <returns>The full path, links not followed.</returns>
    /// <exception cref="UsageException">It leads out of every root.</exception>
    public string Require(string path)
    {
        if (path.Length == 0) throw new UsageException("The path is empty.");
        string full = Path.GetFullPath(path, First), real = RealPath(full);
        bool isInside = roots.Any(root => real == root || real.StartsWith(root.TrimEnd(Path.DirectorySeparatorChar)
            + Path.DirectorySeparatorChar, StringComparison.Ordinal));
        return isInside ? full : throw new UsageException(
            $"{ShellWord.Quoted(path)} lies outside the folders that may be looked into.", $"These are {string.Join(", ", roots)}.");
    }

    /// <summary>A recipe with changes, if it and everything that it names lies inside.</summary>
    /// <param name="models">Where <c>hf://</c> comes from; null for the cache alone.</param>
    /// <returns>The recipe's full path.</returns>
    /// <exception cref="UsageException">Something lies outside, or a change is not an assistant's to make.</exception>
    /// <exception cref="InvalidRecipeException">The recipe is wrong.</exception>
    public string RequireRecipe(string path, IReadOnlyList<string> changes, IModelSource? models)
    {
        string full = Require(path);
        if (changes.FirstOrDefault(change => change.Contains("${", StringComparison.Ordinal)) is { } variable)
            throw new UsageException($"'{TerminalText.OneLine(variable)}' asks for an environment variable.", "Write the value itself.");
        // First as words, so that not even a message about a missing file tells of what lies outside.
        foreach (string word in changes.SelectMany(ValueWords))
        {
            if (Path.IsPathRooted(word) || word.Split('/', '\\').Contains("..")) Require(WithoutPattern(word));
        }

        var recipe = RecipeFile.Load(full, changes, makesStudent: true, models, opening: file => Require(file));
        _ = RecipeWriter.ToJson(recipe, place => HubReference.IsReference(place) || recipe.Pulled.OriginOfFolder(place) is not null
            ? place : Require(WithoutPattern(place)));
        // Where completions, measurements and keys are sent is decided by whoever wrote the file.
        if (changes.Count > 0
            && AddressesOf(recipe) != AddressesOf(RecipeFile.Load(full, null, makesStudent: true, models, opening: file => Require(file))))
        {
            throw new UsageException(
                "Endpoints, other addresses and their keys are not changed by assistants.", "Change them in the recipe's file.");
        }

        return full;
    }

    private static IEnumerable<string> ValueWords(string change) => Words()
        .Matches(change[(change.IndexOf('=', StringComparison.Ordinal) + 1)..]).Select(match => match.Value.TrimStart(':'));

    // With their places, whatever section they are in: also of sections that will be written one day.
    private static string AddressesOf(Recipe recipe) => string.Join('\n', AddressesOf("", RecipeWriter.ToJson(recipe, place => place)));

    private static IEnumerable<string> AddressesOf(string place, JsonNode? node) => node switch
    {
        JsonObject section => section.SelectMany(pair => AddressesOf($"{place}/{pair.Key}", pair.Value)),
        JsonArray list => list.SelectMany((item, index) => AddressesOf($"{place}/{index}", item)),
        JsonValue value when IsAddress(place[(place.LastIndexOf('/') + 1)..], value) => [$"{place}={value.ToJsonString()}"],
        _ => [],
    };

    private static bool IsAddress(string key, JsonValue value) => AddressKeys.Contains(key)
        || key.EndsWith("_env", StringComparison.Ordinal)
        || (value.TryGetValue(out string? text) && WebAddress().IsMatch(text) && !HubReference.IsReference(text));

    private static string WithoutPattern(string place)
    {
        int star = place.IndexOf('*', StringComparison.Ordinal);
        return star < 0 ? place : Path.GetDirectoryName(place[..star]) ?? place;
    }

    // Links are followed part by part; what does not exist yet has none.
    private static string RealPath(string path)
    {
        string real = Path.GetPathRoot(Path.GetFullPath(path))!;
        var parts = new Stack<string>(Path.GetFullPath(path)[real.Length..].Split(Path.DirectorySeparatorChar).Reverse());
        int links = 0;
        while (parts.TryPop(out string? part))
        {
            if (part.Length == 0) continue;
            string next = Path.Combine(real, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MostLinks) throw new UsageException($"{ShellWord.Quoted(path)} follows links in a circle.");
            string resolved = Path.GetFullPath(target, real);
            real = Path.GetPathRoot(resolved)!;
            foreach (string piece in resolved[real.Length..].Split(Path.DirectorySeparatorChar).Reverse()) parts.Push(piece);
        }

        return Path.TrimEndingDirectorySeparator(real);
    }

    [GeneratedRegex(@"[^\s,{}\[\]""']+")]
    private static partial Regex Words();

    [GeneratedRegex(@"^\s*[A-Za-z][A-Za-z0-9+.-]*://")]
    private static partial Regex WebAddress();
}
