using Distill.Pipeline.Recipes;

namespace Distill.Service.Schedules;

/// <summary>
/// The schedules in force: those of the file, read again whenever it changes. A file that has become wrong changes nothing; what is wrong
/// with it is there to be told. Thread-safe.
/// </summary>
internal sealed class ScheduleBook
{
    private readonly Lock gate = new();
    private (DateTime Written, long Length) read;

    private volatile State state;

    private sealed record State(ScheduleDocument Document, string? Problem);

    /// <exception cref="InvalidRecipeException">The file cannot be read or is wrong.</exception>
    public ScheduleBook(string file)
    {
        File = Path.GetFullPath(file);
        read = Stamp();
        state = new(ScheduleFile.Load(file), null);
    }

    public string File { get; }

    public ScheduleDocument Document => state.Document;

    /// <summary>Why the file as it is now is not in force; null when it is.</summary>
    public string? Problem => state.Problem;

    public ScheduleSection? Find(string name) => Document.Schedules.FirstOrDefault(schedule => schedule.Name == name);

    /// <summary>Looks whether the file has changed.</summary>
    public void Refresh()
    {
        lock (gate)
        {
            var now = Stamp();
            if (now == read) return;
            read = now;
            try
            {
                state = new(ScheduleFile.Load(File), null);
            }
            catch (InvalidRecipeException invalid)
            {
                state = state with { Problem = invalid.Message };
            }
        }
    }

    private (DateTime Written, long Length) Stamp() =>
        new FileInfo(File) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length) : default;
}
