using System.Text.Json.Serialization;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Service.Fleet;

/// <summary>A run that the workers were given.</summary>
/// <param name="Open">Stages that can be worked on now.</param>
internal sealed record Order(string Run, DateTimeOffset Asked, IReadOnlyList<OpenStage> Open);

/// <param name="Kind">With the key, where the artefact is made. Empty, as the key and the stage, for the report.</param>
/// <param name="Queue">Of whom it waits for.</param>
internal sealed record OpenStage(string Stage, string Kind, string Key, string Queue)
{
    /// <summary>What the last step is called where people read it.</summary>
    public const string Report = "report";

    [JsonIgnore]
    public bool IsReport => Stage.Length == 0;

    [JsonIgnore]
    public string Name => IsReport ? Report : Stage;

    [JsonIgnore]
    public StoreKey Place => new(Kind, Key);

    public static OpenStage ReportOn(string queue) => new("", "", "", queue);
}

/// <summary>
/// The runs of the workers. A run is theirs as long as its note is there: it is made once, by who asks, and removed once, by who ends it.
/// Which stages are open is another note, which anybody writes. Thread-safe between processes.
/// </summary>
internal sealed class Orders(FleetFolder folder, TimeProvider clock)
{
    private sealed record Asking(string Run, DateTimeOffset Asked);

    private sealed record Stages(IReadOnlyList<OpenStage> Open);

    public string RunsFolder => folder.RunsFolder;

    public bool IsThere(string run) => File.Exists(folder.OrderNote(run));

    /// <summary>Null for a run that is not the workers'.</summary>
    public Order? Find(string run) => NoteFile.TryRead<Asking>(folder.OrderNote(run)) is { } asking
        ? new(asking.Run, asking.Asked, NoteFile.TryRead<Stages>(folder.StagesNote(run))?.Open ?? []) : null;

    public IReadOnlyList<Order> All() => [.. folder.Orders().Select(Find).OfType<Order>()];

    /// <returns>False where the workers have it already.</returns>
    public bool TryCreate(string run)
    {
        folder.Create();
        return NoteFile.TryCreate(folder.OrderNote(run), new Asking(run, clock.GetUtcNow()));
    }

    public void Write(string run, IReadOnlyList<OpenStage> open) => NoteFile.Write(folder.StagesNote(run), new Stages(open));

    /// <summary>Takes a run back and notes how it ended, unless somebody did before. What is at work on it ends at a safe point.</summary>
    public void End(string run, RunProgress progress, string? reason, RunVerdict? verdict = null)
    {
        if (!IsThere(run)) return;
        var place = new RunFolder(folder.RunsFolder, run);
        if (RunState.TryRead(place.Path) is { } state)
            (state with { Progress = progress, Reason = reason, Verdict = verdict, Changed = clock.GetUtcNow() }).Write(place.Path);
        Close(run);
    }

    /// <summary>Takes a run back whose end is noted.</summary>
    public void Close(string run)
    {
        File.Delete(folder.OrderNote(run));
        File.Delete(folder.StagesNote(run));
        folder.ReportOf(run).Remove();
    }

    /// <summary>The notes on the work of a stage.</summary>
    public WorkNotes NotesOf(string run, OpenStage stage) => stage.IsReport ? folder.ReportOf(run) : folder.WorkOn(stage.Place);
}

/// <summary>What work is called by what it needs.</summary>
internal static class QueueNames
{
    public const string Cpu = "cpu", Gpu = "gpu";

    /// <summary>As workers are told.</summary>
    public static IReadOnlyList<string> All { get; } = [Cpu, Gpu];

    public static string Of(StageResource resource) => resource == StageResource.Model ? Gpu : Cpu;

    /// <summary>The schedules of a server have queues of their own in the same database.</summary>
    public static string InDatabase(string queue) => "fleet-" + queue;
}
