using System.Globalization;
using Distill.Export.Package;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Pipeline.Promotions;

/// <summary>The steps of a change, in order; what a kill can interrupt.</summary>
internal enum PromotionStep
{
    Fill,
    Complete,
    Mark,
    Fresh,
    Switch,
    Shown,
    Prune,
    Done,
}

/// <summary>
/// A place that applications load, and its versions: <c>mine</c> → <c>mine.versions/0007/model</c>. Whoever opens the place finds the
/// former model or the new one, whole, at any moment and after any kill; a version is finished or absent. Changes are made by who holds
/// <see cref="Open"/>, readers ask nobody. Which version is in place is said by the place itself and by nothing else.
/// </summary>
internal sealed class PromotionPlace : IDisposable
{
    private const string Suffix = ".versions", LockName = ".lock", NewName = ".new", FreshName = ".fresh", OldSuffix = ".old",
        WithdrawnSuffix = ".withdrawn", ShownName = "shown";

    private readonly FileLock held;
    private readonly PlaceKind kind;
    private readonly Action<PromotionStep>? reached;

    private PromotionPlace(string path, PlaceKind kind, FileLock held, Action<PromotionStep>? reached) =>
        (Path, this.kind, this.held, this.reached) = (path, kind, held, reached);

    public string Path { get; }

    /// <summary>The number of the version in place; null where there is none.</summary>
    public int? Current => CurrentOf(Path);

    private string Versions => VersionsOf(Path);

    /// <summary>The place for oneself, until this is disposed; waits while another promotion is under way. Ends what a kill left half
    /// done.</summary>
    /// <param name="waiting">Told once who holds it.</param>
    /// <param name="reached">Told before each step of a change; tests end the change there.</param>
    /// <exception cref="RunRefusedException">Something else lies there.</exception>
    public static PromotionPlace Open(
        string path, PlaceKind kind, string owner, Action<string> waiting, CancellationToken cancellation,
        Action<PromotionStep>? reached = null)
    {
        string full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        RequireOurs(full, kind);
        var held = FileLock.Take(System.IO.Path.Combine(VersionsOf(full), LockName), owner, waiting, cancellation);
        var place = new PromotionPlace(full, kind, held, reached);
        place.Recover();
        return place;
    }

    /// <summary>The number of the version that a place shows; null where it shows none. Asks for no lock.</summary>
    public static int? CurrentOf(string path)
    {
        string full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        string versions = VersionsOf(full);
        if (new DirectoryInfo(full).LinkTarget is { } target)
        {
            string folder = System.IO.Path.GetFullPath(target, System.IO.Path.GetDirectoryName(full)!);
            return System.IO.Path.GetDirectoryName(folder) is { } version && System.IO.Path.GetDirectoryName(version) == versions
                ? NumberOf(version) : null;
        }

        // A folder says which version it is by its model, of which it is a second name.
        if (!Directory.Exists(full)) return null;
        return Numbers(versions).OrderDescending().Cast<int?>()
            .FirstOrDefault(number => IsSame(full, ModelOf(full, number!.Value)));
    }

    public static string FolderOf(string path, int number) =>
        System.IO.Path.Combine(VersionsOf(path), number.ToString("D4", CultureInfo.InvariantCulture));

    /// <summary>Versions that lie there, rising.</summary>
    public IReadOnlyList<int> All() => [.. Numbers(Versions).Order()];

    public PromotedVersion Read(int number) => PromotedVersion.Read(FolderOf(Path, number));

    /// <summary>Whether a model was taken out of the place by hand, whatever became of its version since.</summary>
    public bool WasWithdrawn(string model) => Directory.EnumerateFiles(Versions, "*" + WithdrawnSuffix)
        .Any(mark => File.ReadAllText(mark).Trim() == model);

    /// <summary>Puts a model in place: a version is filled, finished, shown; older ones beyond those kept go.</summary>
    /// <param name="fill">Fills the folder of the version, and tells what it is; gets its number.</param>
    public PromotedVersion Promote(int keep, Func<string, int, PromotedVersion> fill)
    {
        int number = Math.Max(All().DefaultIfEmpty(0).Max(), Marks().DefaultIfEmpty(0).Max()) + 1;
        string fresh = System.IO.Path.Combine(Versions, NewName);
        reached?.Invoke(PromotionStep.Fill);
        Directory.CreateDirectory(fresh);
        var version = fill(fresh, number);
        version.Write(fresh);
        PlacedFiles.Sync(fresh);
        reached?.Invoke(PromotionStep.Complete);
        Directory.Move(fresh, FolderOf(Path, number));
        NativeFile.SyncFolder(Versions);
        Show(number);
        reached?.Invoke(PromotionStep.Prune);
        Prune(number, keep);
        reached?.Invoke(PromotionStep.Done);
        return version;
    }

    /// <summary>
    /// Takes the version in place out and shows the one before it. The former stays, and its model is not promoted again by itself.
    /// </summary>
    /// <returns>Numbers of both.</returns>
    /// <exception cref="RunRefusedException">There is none in place, or none before it.</exception>
    public (int From, int To) Back()
    {
        int from = Current ?? throw new RunRefusedException($"Nothing was promoted to '{Path}' yet.");
        if (Before(from) is not { } to)
            throw new RunRefusedException($"'{Path}' shows version {from}, and no earlier one is kept. Promote another run instead.");
        reached?.Invoke(PromotionStep.Mark); // before the switch: a kill between both is ended by whoever comes next
        ReplacedFile.Write(MarkOf(Path, from), System.Text.Encoding.UTF8.GetBytes(Read(from).Model + "\n"));
        Show(to);
        reached?.Invoke(PromotionStep.Done);
        return (from, to);
    }

    /// <summary>Lets a model that was taken out be promoted again.</summary>
    public void Forgive(string model)
    {
        foreach (int number in Marks().Where(number => number != Current).ToList())
        {
            if (File.ReadAllText(MarkOf(Path, number)).Trim() == model) File.Delete(MarkOf(Path, number));
        }
    }

    public void Dispose() => held.Dispose();

    private static string VersionsOf(string path) => path + Suffix;

    private static string ModelOf(string path, int number) => System.IO.Path.Combine(FolderOf(path, number), PromotedVersion.ModelFolder);

    private static string MarkOf(string path, int number) => FolderOf(path, number) + WithdrawnSuffix;

    private static bool IsWithdrawn(string path, int number) => File.Exists(MarkOf(path, number));

    private static int? NumberOf(string folder) =>
        int.TryParse(System.IO.Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static IEnumerable<int> Numbers(string versions) =>
        Directory.Exists(versions) ? Directory.EnumerateDirectories(versions).Select(NumberOf).OfType<int>() : [];

    private IEnumerable<int> Marks() => Directory.EnumerateFiles(Versions, "*" + WithdrawnSuffix)
        .Select(path => NumberOf(path[..^WithdrawnSuffix.Length])).OfType<int>();

    private static bool IsSame(string folder, string other)
    {
        string name = PackageProvenance.FileName;
        string first = System.IO.Path.Combine(folder, name), second = System.IO.Path.Combine(other, name);
        return File.Exists(first) && File.Exists(second) && File.ReadAllBytes(first).AsSpan().SequenceEqual(File.ReadAllBytes(second));
    }

    // Ours are links into the versions, and folders that are one of them.
    private static void RequireOurs(string path, PlaceKind kind)
    {
        bool isLink = new DirectoryInfo(path).LinkTarget is not null, isThere = isLink || Directory.Exists(path) || File.Exists(path);
        if (isThere && CurrentOf(path) is null)
            throw new RunRefusedException($"'{path}' is there and was not promoted by this program. Move it away, or promote elsewhere.");
        if (isThere && isLink != (kind == PlaceKind.Link))
            throw new RunRefusedException($"'{path}' is a {(isLink ? "link" : "folder")}, and promote.as asks for the other. "
                + "Keep it as it is, or move it away first.");
    }

    // A model that was taken out may have been promoted more than once: none of its versions is gone back to.
    private int? Before(int number)
    {
        string model = Read(number).Model;
        return All().Where(other => other < number && !IsWithdrawn(Path, other)).OrderDescending()
            .Where(other => Read(other).Model is var before && before != model && !WasWithdrawn(before)).Cast<int?>().FirstOrDefault();
    }

    private void Show(int number)
    {
        string model = ModelOf(Path, number), parent = System.IO.Path.GetDirectoryName(Path)!;
        if (kind == PlaceKind.Link)
        {
            reached?.Invoke(PromotionStep.Switch);
            ReplacedLink.Write(Path, System.IO.Path.GetRelativePath(parent, model));
        }
        else
        {
            string fresh = System.IO.Path.Combine(Versions, FreshName);
            reached?.Invoke(PromotionStep.Fresh);
            PlacedFiles.TakeFolder(model, fresh);
            PlacedFiles.Sync(fresh);
            reached?.Invoke(PromotionStep.Switch);
            if (Directory.Exists(Path)) NativeFile.Exchange(fresh, Path);
            else Directory.Move(fresh, Path);
            Remove(fresh);
        }

        NativeFile.SyncFolder(parent);
        reached?.Invoke(PromotionStep.Shown);
        NoteShown(number);
    }

    // A version that nobody could ever load is none, and must not be gone back to.
    private void NoteShown(int number)
    {
        if (!File.Exists(ShownOf(number))) ReplacedFile.Write(ShownOf(number), "shown\n"u8);
    }

    private string ShownOf(int number) => System.IO.Path.Combine(FolderOf(Path, number), ShownName);

    // What a kill left: half a version, a version that was never shown, one that was to be taken out, one that was being removed.
    private void Recover()
    {
        foreach (string rest in Directory.EnumerateDirectories(Versions)
            .Where(path => System.IO.Path.GetFileName(path) is NewName or FreshName || path.EndsWith(OldSuffix, StringComparison.Ordinal))
            .ToList())
            Remove(rest);
        if (Current is { } shown) NoteShown(shown);
        foreach (int number in All().Where(number => !File.Exists(ShownOf(number)))) Discard(number);
        if (Current is { } current && IsWithdrawn(Path, current) && Before(current) is { } earlier) Show(earlier);
    }

    private void Prune(int current, int keep)
    {
        int[] kept = [.. All().Where(number => number < current && !IsWithdrawn(Path, number)).OrderDescending().Take(keep)];
        int oldest = kept.DefaultIfEmpty(current).Min();
        foreach (int number in All().Where(number => number < oldest)) Discard(number);
    }

    // It is no version before its first file goes.
    private void Discard(int number)
    {
        string folder = FolderOf(Path, number), old = folder + OldSuffix;
        Remove(old);
        Directory.Move(folder, old);
        Remove(old);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
