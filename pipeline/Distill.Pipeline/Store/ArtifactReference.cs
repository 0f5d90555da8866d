using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Pipeline.Store;

/// <summary>
/// An artefact as people name it: the first digits of its digest or key, a run and its stage (<c>quickstart/sft</c>), or a path, of a run's
/// link or in the store.
/// </summary>
internal static class ArtifactReference
{
    /// <summary>As many digits as tell artefacts apart for good.</summary>
    public const int LeastDigits = 6;

    private const int MostCandidates = 10;

    /// <summary>
    /// The folder of runs that a word speaks of: that of the path, where it is one into a store or a run; otherwise the one given.
    /// </summary>
    public static string RunsFolderOf(string word, string runsFolder)
    {
        if (Exists(word) && PathInto(word) is { } path) return RunsFolderAbove(path);
        if (SplitAtRun(word + "/", runsFolder) is var (folder, _, _)) return folder;
        return PathInto(word) is { } gone ? RunsFolderAbove(gone) : runsFolder;
    }

    /// <param name="catalogue">Of <see cref="RunsFolderOf"/>.</param>
    /// <exception cref="RunRefusedException">The word names nothing, or several artefacts; the message lists them.</exception>
    public static CataloguedArtifact Find(ArtifactCatalogue catalogue, string word)
    {
        if (Exists(word) && PathInto(word) is { } path) return AtPath(catalogue, path);
        if (SplitAtRun(word, catalogue.RunsFolder) is var (_, run, stage)) return OfRun(catalogue, run, stage);
        if (PathInto(word) is { } gone) return AtPath(catalogue, gone);
        if (word.Contains('/') || word.Contains(Path.DirectorySeparatorChar))
            throw new RunRefusedException($"'{word}' is no artefact: neither RUN/STAGE of {catalogue.RunsFolder} nor a path into its "
                + $"store.");
        return ByDigits(catalogue, word);
    }

    /// <summary>Whether a word is the name or the folder of a run.</summary>
    public static bool IsRun(string word, string runsFolder) => SplitAtRun(word + "/", runsFolder) is (_, _, "");

    /// <summary>Whether a word is a path, of a link or of a folder, that leads into a store.</summary>
    public static bool LeadsIntoStore(string word) => PathInto(word) is not null;

    private static string StoreMark => $"{Path.DirectorySeparatorChar}{ArtifactStore.FolderName}{Path.DirectorySeparatorChar}";

    private static bool Exists(string word) => Directory.Exists(word) || File.Exists(word);

    private static string RunsFolderAbove(string path) => path[..path.LastIndexOf(StoreMark, StringComparison.Ordinal)];

    private static CataloguedArtifact ByDigits(ArtifactCatalogue catalogue, string digits)
    {
        if (IsRun(digits, catalogue.RunsFolder)) return OfRun(catalogue, digits, "");
        string bare = digits.Split('~')[0];
        if (!bare.All(char.IsAsciiHexDigit))
            throw new RunRefusedException($"'{digits}' is no artefact: give {LeastDigits} or more digits of its digest or key, RUN/STAGE, "
                + $"or a path. "
                + "'distill artefacts ls' lists them.");
        if (bare.Length < LeastDigits)
            throw new RunRefusedException($"'{digits}' is too short: give at least {LeastDigits} digits. " + Candidates(catalogue, digits));
        CataloguedArtifact[] found = [.. catalogue.Items.Where(item => item.IsCalled(digits))];
        return found switch
        {
            [var only] => only,
            [] => throw new RunRefusedException($"No artefact of {catalogue.Store.Root} has a digest or key that begins with '{digits}'. "
                + "'distill artefacts ls' lists them."),
            _ => throw new RunRefusedException($"'{digits}' names {found.Length} artefacts. " + Candidates(catalogue, digits)),
        };
    }

    private static string Candidates(ArtifactCatalogue catalogue, string digits)
    {
        var found = catalogue.Items.Where(item => digits.Length > 0 && item.IsCalled(digits)).ToList();
        string more = found.Count > MostCandidates ? $" and {found.Count - MostCandidates} more" : "";
        return found.Count == 0 ? "'distill artefacts ls' lists them."
            : $"It may mean {string.Join(", ", found.Take(MostCandidates).Select(item => $"{item.Reference} ({item.Name})"))}{more}.";
    }

    private static CataloguedArtifact OfRun(ArtifactCatalogue catalogue, string run, string stage)
    {
        var items = catalogue.Of(run);
        string[] names = [.. items.Select(item => item.Name).Distinct().Order(StringComparer.Ordinal)];
        if (stage.Length == 0)
            throw new RunRefusedException($"'{run}' is a run. Give one of its artefacts as {run}/STAGE: {string.Join(", ", names)}.");
        var found = items.FirstOrDefault(item => item.Uses.Any(use => use.Run == run && use.Link == stage))
            ?? items.FirstOrDefault(item => item.Name == stage);
        return found ?? throw new RunRefusedException(names.Length == 0
            ? $"The run '{run}' has no artefacts." : $"The run '{run}' has no artefact '{stage}'; {Suggestion.Remedy(stage, names)}");
    }

    private static CataloguedArtifact AtPath(ArtifactCatalogue catalogue, string path)
    {
        for (string? at = path; at is not null; at = Path.GetDirectoryName(at))
        {
            if (catalogue.Items.FirstOrDefault(item => item.Entry.Folder == at) is { } found) return found;
        }

        throw new RunRefusedException($"There is no artefact at '{path}' (any more).");
    }

    // RUN/STAGE, where the run may be a name or a folder and the stage has slashes of its own.
    private static (string RunsFolder, string Run, string Stage)? SplitAtRun(string word, string runsFolder)
    {
        for (int i = word.IndexOf('/'); i >= 0; i = word.IndexOf('/', i + 1))
        {
            if (i == 0) continue;
            string run = word[..i], stage = word[(i + 1)..].TrimEnd('/');
            if (!run.Contains('/') && RunState.TryRead(Path.Combine(runsFolder, run)) is not null) return (runsFolder, run, stage);
            if (Path.GetDirectoryName(Path.GetFullPath(run)) is { } above && RunState.TryRead(run) is not null)
                return (above, Path.GetFileName(Path.GetFullPath(run)), stage);
        }

        return null;
    }

    /// <summary>The full path in a store that a path leads to, over at most one link; null for any other word.</summary>
    private static string? PathInto(string word)
    {
        if (word.Length == 0 || word.Contains('\0')) return null;
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(word));
        for (string? at = path; at is not null; at = Path.GetDirectoryName(at))
        {
            if (new DirectoryInfo(at).LinkTarget is not { } target) continue;
            string real = Path.GetFullPath(target, Path.GetDirectoryName(at)!) + path[at.Length..];
            if (real.Contains(StoreMark, StringComparison.Ordinal)) return real;
        }

        return path.Contains(StoreMark, StringComparison.Ordinal) ? path : null;
    }
}
