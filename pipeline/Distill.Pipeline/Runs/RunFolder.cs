using System.Text;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs.Live;
using Distill.Pipeline.Stages;
using Distill.Pipeline.Tracking;
using Distill.Storage;

namespace Distill.Pipeline.Runs;

/// <summary>
/// Where the parts of a run lie: its own few files, and links into the store under readable names. Nothing is created before
/// <see cref="Lock"/>, and nothing that is not ours is ever touched.
/// </summary>
internal sealed class RunFolder(string runsFolder, string name)
{
    /// <summary>The link to the folder that apps load.</summary>
    public const string ModelLink = "model";

    /// <summary>
    /// Name of the folder beside the runs in which workers keep their notes, and of that in it with the runs they were given.
    /// </summary>
    public const string FleetName = ".fleet", OrdersName = "runs";

    private static readonly string[] Published = ["report.html", "report.json"];

    private static readonly string[] OwnFiles =
    [
        "run.lock.json", "ledger.json", "ledger.json" + RunLedger.LockSuffix, "metrics.jsonl", ProgressFile.FileName,
        ProgressRecorder.LogName, ParityStage.FailedName, RunTracking.FileName, RunState.ReserveName,
    ];

    public string Name => name;

    public string RunsPath { get; } = System.IO.Path.GetFullPath(runsFolder);

    public string Path => System.IO.Path.Combine(RunsPath, name);

    public string StorePath => System.IO.Path.Combine(RunsPath, ArtifactStore.FolderName);

    public string RecipePath => Inside("recipe.yaml");

    public string LockFilePath => Inside("run.lock.json");

    public string LedgerPath => Inside("ledger.json");

    public string MetricsPath => Inside("metrics.jsonl");

    public string LogPath => Inside(ProgressRecorder.LogName);

    public string BoardPath => Inside("tensorboard");

    public string ReportPath => Inside(Published[0]);

    public string ReportJsonPath => Inside(Published[1]);

    public string ModelPath => Inside(ModelLink);

    /// <summary>Completions of remote teachers, one file each, shared by all runs of the folder.</summary>
    public string RequestsPath => System.IO.Path.Combine(RunsPath, ".requests");

    /// <summary>Whether the workers of the folder were given it and have not come to its end.</summary>
    public bool IsWithWorkers => File.Exists(System.IO.Path.Combine(RunsPath, FleetName, OrdersName, name + ".json"));

    private string HeldPath => Inside(".lock");

    /// <exception cref="RunRefusedException">The workers have it.</exception>
    public void RequireNotWithWorkers()
    {
        if (IsWithWorkers)
            throw new RunRefusedException(
                $"The run '{name}' is with the workers of {RunsPath}. Take it back first: distill fleet stop {name}");
    }

    public string Inside(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>Makes the folder this process's until the result is disposed.</summary>
    /// <exception cref="RunRefusedException">
    /// Another process works on the run, or the folder is something else than a run of ours.
    /// </exception>
    public IDisposable Lock()
    {
        RequireOurs();
        return FileLock.TryTake(HeldPath, LockHolder.Me.ToString()) ?? throw new RunRefusedException(
            $"Another process is working on the run '{name}' in {RunsPath} ({FileLock.OwnerOf(HeldPath)}). "
            + "Wait for it, or give this one another name with --name.") { IsBusy = true };
    }

    /// <summary>Whether some process holds <see cref="Lock"/>.</summary>
    public bool IsLocked() => FileLock.IsHeld(HeldPath);

    /// <summary>The process that holds it; null while none does, and where it does not say which one it is.</summary>
    public LockHolder? Holder() => IsLocked() ? LockHolder.Parse(FileLock.OwnerOf(HeldPath)) : null;

    /// <exception cref="RunRefusedException">Something lies in the way of a link, which nobody may remove but who put it there.</exception>
    public void RequireFree(IEnumerable<string> links)
    {
        foreach (string link in links)
        {
            string path = Inside(link);
            bool isLink = new DirectoryInfo(path).LinkTarget is not null;
            if (!isLink && (Directory.Exists(path) || File.Exists(path)))
            {
                throw new RunRefusedException(
                    $"'{path}' is not of this program's making, and the run needs its place. "
                    + "Move it away, or give the run another name with --name.");
            }
        }
    }

    /// <summary>The place in the store that a link names; null when there is none.</summary>
    public (StoreKey Key, int Version)? LinkOf(string link)
    {
        string path = Inside(link);
        if (new DirectoryInfo(path).LinkTarget is not { } target) return null;
        string folder = System.IO.Path.GetFullPath(target, System.IO.Path.GetDirectoryName(path)!);
        return new ArtifactStore(StorePath, TimeProvider.System).Parse(folder);
    }

    /// <summary>
    /// Shows an artefact under a name of the run. What was published of other artefacts is withdrawn first: a report never
    /// speaks of what is not there.
    /// </summary>
    public void Link(string link, string artifact)
    {
        string path = Inside(link), parent = System.IO.Path.GetDirectoryName(path)!;
        string target = System.IO.Path.GetRelativePath(parent, artifact);
        if (new DirectoryInfo(path).LinkTarget == target) return;
        Withdraw();
        Directory.CreateDirectory(parent);
        ReplacedLink.Write(path, target);
    }

    /// <summary>Every link of the run, by its name.</summary>
    public IReadOnlyDictionary<string, (StoreKey Key, int Version)> Links()
    {
        var links = new SortedDictionary<string, (StoreKey, int)>(StringComparer.Ordinal);
        foreach (string path in OptionalFolder.Folders(Path).SelectMany(WithChildren))
        {
            string link = System.IO.Path.GetRelativePath(Path, path).Replace(System.IO.Path.DirectorySeparatorChar, '/');
            if (LinkOf(link) is { } place) links[link] = place;
        }

        return links;
    }

    /// <summary>Takes back what was published; the artefacts stay, and it is written again from them.</summary>
    public void Withdraw()
    {
        foreach (string file in Published) File.Delete(Inside(file));
        if (new DirectoryInfo(ModelPath).LinkTarget is not null) RemoveLink(ModelPath);
    }

    /// <summary>
    /// Notes the recipe. What was published of another one is withdrawn: a report stands beside the values it was made with.
    /// </summary>
    public void WriteRecipe(Recipe recipe)
    {
        byte[] text = Encoding.UTF8.GetBytes(RecipeWriter.ToYaml(recipe, Path, isMovable: true));
        if (File.Exists(RecipePath) && !File.ReadAllBytes(RecipePath).AsSpan().SequenceEqual(text)) Withdraw();
        ReplacedFile.Write(RecipePath, text);
    }

    /// <summary>
    /// Removes what is the run's own: links into the store, never what they lead to, and the files that it wrote. What makes it a
    /// run goes last, so that a removal that was cut short can be asked for again. The folder goes when nothing of somebody
    /// else's is left in it.
    /// </summary>
    /// <returns>Paths of what is not ours, which stays.</returns>
    /// <exception cref="RunRefusedException">Some process works on it, workers have it, or it is no run of this version.</exception>
    public IReadOnlyList<string> Remove()
    {
        RequireNotWithWorkers();
        if (IsLocked())
            throw new RunRefusedException($"The run '{name}' is being worked on ({FileLock.OwnerOf(HeldPath)}). End that first.");
        using (Lock())
        {
            Withdraw();
            foreach (string link in Directory.EnumerateFileSystemEntries(Path).SelectMany(WithEntries).Where(IsOurLink).ToList())
                RemoveLink(link);
            foreach (string folder in Directory.EnumerateDirectories(Path).Where(IsEmptyStageFolder).ToList()) Directory.Delete(folder);
            foreach (string board in (string[])[BoardPath, Inside(WandbTracker.FolderName)])
            {
                if (new DirectoryInfo(board) is { Exists: true, LinkTarget: null }) Directory.Delete(board, recursive: true);
            }

            foreach (string file in OwnFiles) File.Delete(Inside(file));
            TemporaryFile.RemoveLeftovers(Path);
            foreach (string last in (string[])["recipe.yaml", RunState.FileName]) File.Delete(Inside(last));
        }

        File.Delete(HeldPath);
        string[] foreign = [.. Directory.EnumerateFileSystemEntries(Path).Order(StringComparer.Ordinal)];
        if (foreign.Length == 0) Directory.Delete(Path);
        return foreign;
    }

    private static IEnumerable<string> WithEntries(string entry) =>
        Directory.Exists(entry) && new DirectoryInfo(entry).LinkTarget is null ? Directory.EnumerateFileSystemEntries(entry) : [entry];

    private static bool IsEmptyStageFolder(string folder) =>
        new DirectoryInfo(folder).LinkTarget is null && char.IsAsciiDigit(System.IO.Path.GetFileName(folder)[0])
            && !Directory.EnumerateFileSystemEntries(folder).Any();

    private static void RemoveLink(string link)
    {
        if (OperatingSystem.IsWindows()) Directory.Delete(link); // a link to a folder is a folder there
        else File.Delete(link);
    }

    private bool IsOurLink(string path) => LinkOf(System.IO.Path.GetRelativePath(Path, path)) is not null;

    private static IEnumerable<string> WithChildren(string folder) =>
        new DirectoryInfo(folder).LinkTarget is not null ? [folder] : OptionalFolder.Folders(folder).Prepend(folder);

    private void RequireOurs()
    {
        if (!Directory.Exists(Path) || RunState.TryRead(Path) is not null) return;
        if (!Directory.EnumerateFileSystemEntries(Path).Any(entry => System.IO.Path.GetFileName(entry) != ".lock")) return;
        throw new RunRefusedException(File.Exists(RecipePath) && File.Exists(LedgerPath)
            ? $"'{Path}' is a run of an earlier version, whose results lie in its own folder. "
                + "Move it away to keep it, or give this run another name with --name."
            : $"'{Path}' holds something else than a run. Give the run another name with --name, or another place with --runs.");
    }
}
