using System.Text.Json;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Service.Fleet;

/// <summary>
/// Where the workers of a folder of runs keep their notes: who they are, which runs they were given, how far the work of each stage is.
/// Notes decide who does what next and nothing else; what is made, the store says.
/// </summary>
internal sealed class FleetFolder(string runsFolder)
{
    private const string Note = ".json";

    public string RunsFolder { get; } = Path.GetFullPath(runsFolder);

    private string Root => Path.Combine(RunsFolder, RunFolder.FleetName);

    private string WorkersPath => Path.Combine(Root, "workers");

    private string StagesPath => Path.Combine(Root, "stages");

    private string OrdersPath => Path.Combine(Root, RunFolder.OrdersName);

    public string WorkerNote(string worker) => Path.Combine(WorkersPath, worker + Note);

    /// <summary>Held by the worker as long as its process lives.</summary>
    public string WorkerLock(string worker) => Path.Combine(WorkersPath, worker + ".lock");

    public string OrderNote(string run) => Path.Combine(OrdersPath, run + Note);

    /// <summary>Which stages of a run can be worked on.</summary>
    public string StagesNote(string run) => Path.Combine(StagesPath, run + Note);

    public IEnumerable<string> Workers() => NamesIn(WorkersPath);

    public IEnumerable<string> Orders() => NamesIn(OrdersPath);

    /// <param name="place">Of the artefact that is made.</param>
    public WorkNotes WorkOn(StoreKey place) => new(Path.Combine(Root, "work", $"{place.Kind}-{place.Digest}"));

    /// <summary>The last step of a run: its report.</summary>
    public WorkNotes ReportOf(string run) => new(Path.Combine(Root, "work", $"report-{run}"));

    public void Create()
    {
        foreach (string path in (string[])[WorkersPath, OrdersPath, StagesPath]) Directory.CreateDirectory(path);
    }

    private static IEnumerable<string> NamesIn(string folder) => OptionalFolder.Files(folder, "*" + Note)
        .Select(path => Path.GetFileNameWithoutExtension(path)).Where(name => name[0] != '.').Order(StringComparer.Ordinal);
}

/// <summary>
/// Small JSON files that other processes read at any moment: there is a whole one or none. What is made once is flushed to disk before it
/// gets its name, what is written every few seconds is not; a power failure may cost such a note, and never a result.
/// </summary>
internal static class NoteFile
{
    private const int MostBytes = 1 << 20;

    /// <summary>Null where there is none, and where a power failure cut it off.</summary>
    public static T? TryRead<T>(string path)
        where T : class
    {
        if (OptionalFile.TryRead(path, MostBytes) is not { } text) return null;
        try
        {
            return JsonSerializer.Deserialize<T>(text, CanonicalJson.Spelling);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Takes the place of what is there.</summary>
    public static void Write<T>(string path, T note)
    {
        string temporary = Temporary(path, note, isFlushed: false);
        try
        {
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>One that cannot be read says nothing, and makes way.</summary>
    /// <returns>False where there is one already, which stays.</returns>
    public static bool TryCreate<T>(string path, T note)
        where T : class
    {
        if (File.Exists(path))
        {
            if (TryRead<T>(path) is not null) return false;
            File.Delete(path);
        }

        string temporary = Temporary(path, note, isFlushed: true);
        try
        {
            return NativeFile.LinkExclusively(temporary, path);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static string Temporary<T>(string path, T note, bool isFlushed)
    {
        using var temporary = TemporaryFile.Create(path);
        try
        {
            JsonSerializer.Serialize(temporary, note, CanonicalJson.Spelling);
            temporary.Flush(isFlushed);
            return temporary.Name;
        }
        catch
        {
            File.Delete(temporary.Name); // of a full disk, mostly, which it must not fill further
            throw;
        }
    }
}
