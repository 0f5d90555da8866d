using Distill.Storage;

namespace Distill.Service.Fleet;

/// <summary>What workers do and what waits for them, read from their notes; asks no database and changes nothing.</summary>
/// <param name="Workers">By name.</param>
/// <param name="Runs">By name.</param>
internal sealed record FleetStatus(IReadOnlyList<WorkerStatus> Workers, IReadOnlyList<FleetRunStatus> Runs)
{
    /// <summary>Empty where there never was a worker.</summary>
    public static FleetStatus Read(string runsFolder, TimeProvider clock)
    {
        var folder = new FleetFolder(runsFolder);
        var orders = new Orders(folder, clock);
        WorkerStatus[] workers =
        [
            .. folder.Workers().Select(name => NoteFile.TryRead<WorkerNote>(folder.WorkerNote(name))).OfType<WorkerNote>()
                .Select(note => new WorkerStatus(note, StateOf(folder, note, clock))),
        ];
        return new(workers, [.. orders.All().Select(order => new FleetRunStatus(
            order.Run, order.Asked, [.. order.Open.Select(stage => StageOf(orders, order, stage, workers))]))]);
    }

    private static WorkerState StateOf(FleetFolder folder, WorkerNote note, TimeProvider clock) =>
        !FileLock.IsHeld(folder.WorkerLock(note.Name)) ? WorkerState.Gone
            : clock.GetUtcNow() - note.Written > WorkerWatch.Patience ? WorkerState.Silent
            : note.Doing is null ? WorkerState.Waiting : WorkerState.Working;

    private static FleetStageStatus StageOf(Orders orders, Order order, OpenStage stage, IEnumerable<WorkerStatus> workers)
    {
        var notes = orders.NotesOf(order.Run, stage);
        string name = stage.IsReport ? "report" : stage.Stage;
        var living = workers.Where(worker => worker.State is WorkerState.Waiting or WorkerState.Working).ToList();
        return new(name, stage.Queue, notes.Division?.Units, notes.DoneUnits(), [.. notes.Bad().Select(bad => bad.Unit)])
        {
            AtWork = [.. living.Where(worker => worker.Note.Doing is { } doing && doing.Run == order.Run && doing.Stage == name)
                .Select(worker => worker.Note.Name)],
            HasWorkers = living.Any(worker => worker.Note.Queues.Contains(stage.Queue)),
        };
    }
}

internal enum WorkerState
{
    Waiting,
    Working,

    /// <summary>Its process is there and has said nothing for two minutes: frozen, or cut off from the folder.</summary>
    Silent,

    /// <summary>Its process ended without a word.</summary>
    Gone,
}

internal sealed record WorkerStatus(WorkerNote Note, WorkerState State);

/// <summary>A run that the workers were given.</summary>
internal sealed record FleetRunStatus(string Run, DateTimeOffset Asked, IReadOnlyList<FleetStageStatus> Stages);

/// <summary>A stage that can be worked on.</summary>
/// <param name="Queue"><c>cpu</c> or <c>gpu</c>.</param>
/// <param name="Units">Null where it has none, or nobody has counted them yet.</param>
/// <param name="Done">Units that were made or set aside.</param>
/// <param name="SetAside">Units that ended three processes.</param>
internal sealed record FleetStageStatus(string Stage, string Queue, int? Units, int Done, IReadOnlyList<int> SetAside)
{
    /// <summary>Names of the workers that are at it.</summary>
    public required IReadOnlyList<string> AtWork { get; init; }

    /// <summary>Whether any living worker takes its queue.</summary>
    public required bool HasWorkers { get; init; }
}
