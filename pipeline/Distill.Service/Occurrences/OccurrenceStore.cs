using System.Collections.Concurrent;
using System.Text.Json;
using Distill.Pipeline.Recipes;
using Distill.Service.Hosting;
using Distill.Storage;

namespace Distill.Service.Occurrences;

/// <summary>
/// What is known of schedules, as files below <c>runs/.schedules/</c>, so that it survives restarts and can be asked without a server:
/// <code>
/// server.lock                held by the server that looks after the folder
/// operator.key               what acting on its page needs, where it was given no key
/// resources/LABEL.lock       held while a run with the label is at work
/// NAME/seen.json             up to when what was due was decided on
/// NAME/removed.json          up to when there were occurrences that are there no more
/// NAME/paused                there while the schedule is paused
/// NAME/20261128t010000z.json an occurrence; .cancel beside it asks for its end, .log is what its attempts said
/// </code>
/// An occurrence is made exclusively and afterwards written only by who holds its resource. Thread-safe, and between processes.
/// </summary>
internal sealed class OccurrenceStore
{
    private const string SeenName = "seen.json", RemovedName = "removed.json", PausedName = "paused";

    private const string Json = ".json", Cancel = ".cancel", Log = ".log", Lock = ".lock";

    private readonly ConcurrentDictionary<string, Remembered> remembered = new(StringComparer.Ordinal);

    private sealed record Remembered(DateTime Written, long Length, Occurrence? Occurrence);

    private sealed record Seen(DateTimeOffset Until);

    public OccurrenceStore(string runsFolder)
    {
        RunsFolder = Path.GetFullPath(runsFolder);
        Root = Path.Combine(RunsFolder, ".schedules");
    }

    public string RunsFolder { get; }

    public string Root { get; }

    public string ServerLock => Path.Combine(Root, "server" + Lock);

    /// <summary>The key to act of a server that was given none.</summary>
    public string KeyFile => Path.Combine(Root, OperatorKey.FileName);

    public string ResourceLock(string label) => Path.Combine(Root, "resources", label + Lock);

    /// <summary>Names of all that were ever looked at, those that are no longer in the file too.</summary>
    public IReadOnlyList<string> Schedules() =>
        Directory.Exists(Root) ? [.. Directory.EnumerateDirectories(Root).Select(path => Path.GetFileName(path)!)] : [];

    /// <summary>In the order of their times. What is no occurrence of this version is passed over.</summary>
    public IReadOnlyList<Occurrence> List(string schedule)
    {
        var folder = new DirectoryInfo(Path.Combine(Root, schedule));
        if (!folder.Exists) return [];
        return
        [
            .. folder.EnumerateFiles("*" + Json).Where(file => Occurrence.TryParseName(Path.GetFileNameWithoutExtension(file.Name), out _))
                .Select(Read).OfType<Occurrence>().OrderBy(occurrence => occurrence.Due),
        ];
    }

    public Occurrence? Find(string schedule, string name)
    {
        var file = new FileInfo(PathOf(schedule, name, Json));
        return Occurrence.TryParseName(name, out _) && file.Exists ? Read(file) : null;
    }

    /// <returns>False when there is one for that time already, which stays.</returns>
    public bool TryCreate(Occurrence occurrence)
    {
        string path = PathOf(occurrence.Schedule, occurrence.Name, Json);
        if (File.Exists(path)) return false;
        try
        {
            CommittedFile.WriteBytes(path, Bytes(occurrence));
            return true;
        }
        catch (CommitConflictException)
        {
            return false;
        }
    }

    /// <summary>For who holds the occurrence's resource.</summary>
    public void Write(Occurrence occurrence)
    {
        string path = PathOf(occurrence.Schedule, occurrence.Name, Json);
        ReplacedFile.Write(path, Bytes(occurrence).Span);
        remembered.TryRemove(path, out _); // a clock too coarse to tell the two apart
    }

    /// <summary>Null when the schedule was never looked at.</summary>
    public DateTimeOffset? SeenUntil(string schedule) => ReadTime(schedule, SeenName);

    /// <summary>The newest time whose occurrence was removed; null when none was.</summary>
    public DateTimeOffset? RemovedUntil(string schedule) => ReadTime(schedule, RemovedName);

    private DateTimeOffset? ReadTime(string schedule, string name)
    {
        if (OptionalFile.TryRead(Path.Combine(Root, schedule, name)) is not { } text) return null;
        try
        {
            return JsonSerializer.Deserialize<Seen>(text, CanonicalJson.Spelling)?.Until;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void WriteSeen(string schedule, DateTimeOffset until) => WriteTime(schedule, SeenName, until);

    public void WriteRemoved(string schedule, DateTimeOffset until) => WriteTime(schedule, RemovedName, until);

    private void WriteTime(string schedule, string name, DateTimeOffset until)
    {
        Directory.CreateDirectory(Path.Combine(Root, schedule));
        ReplacedFile.Write(
            Path.Combine(Root, schedule, name), JsonSerializer.SerializeToUtf8Bytes(new Seen(until), CanonicalJson.Spelling));
    }

    public bool IsPaused(string schedule) => File.Exists(Path.Combine(Root, schedule, PausedName));

    /// <returns>False when it was so before.</returns>
    public bool SetPaused(string schedule, bool paused)
    {
        if (IsPaused(schedule) == paused) return false;
        string path = Path.Combine(Root, schedule, PausedName);
        if (paused) CommittedFile.WriteBytes(path, "paused\n"u8.ToArray());
        else
        {
            File.Delete(path);
            NativeFile.SyncFolder(Path.GetDirectoryName(path)!);
        }

        return true;
    }

    public void AskToCancel(Occurrence occurrence) =>
        CommittedFile.WriteBytes(PathOf(occurrence.Schedule, occurrence.Name, Cancel), "cancel\n"u8.ToArray());

    public bool IsCancelAsked(Occurrence occurrence) => File.Exists(PathOf(occurrence.Schedule, occurrence.Name, Cancel));

    public string LogPath(Occurrence occurrence) => PathOf(occurrence.Schedule, occurrence.Name, Log);

    /// <summary>Deletes what killed writers left; files being written now stay.</summary>
    public void RemoveLeftovers()
    {
        foreach (string folder in Directory.EnumerateDirectories(Root)) CommittedFile.RemoveLeftovers(folder);
    }

    public void Remove(Occurrence occurrence)
    {
        foreach (string kind in (string[])[Log, Cancel, Json]) File.Delete(PathOf(occurrence.Schedule, occurrence.Name, kind));
        remembered.TryRemove(PathOf(occurrence.Schedule, occurrence.Name, Json), out _);
    }

    private Occurrence? Read(FileInfo file)
    {
        if (remembered.TryGetValue(file.FullName, out var known) && known.Written == file.LastWriteTimeUtc && known.Length == file.Length)
            return known.Occurrence;
        var read = Parse(file.FullName);
        remembered[file.FullName] = new(file.LastWriteTimeUtc, file.Length, read);
        return read;
    }

    private static Occurrence? Parse(string path)
    {
        try
        {
            var read = JsonSerializer.Deserialize<Occurrence>(File.ReadAllBytes(path), CanonicalJson.Spelling);
            return read is { Format: Occurrence.CurrentFormat } ? read : null;
        }
        catch (Exception fault) when (fault is JsonException or FileNotFoundException)
        {
            return null; // of another version, or removed just now
        }
    }

    private static ReadOnlyMemory<byte> Bytes(Occurrence occurrence) =>
        JsonSerializer.SerializeToUtf8Bytes(occurrence, CanonicalJson.Spelling);

    private string PathOf(string schedule, string name, string kind) => Path.Combine(Root, schedule, name + kind);
}
