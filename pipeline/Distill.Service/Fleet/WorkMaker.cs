using Distill.Generation;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Storage;
using Distill.Teacher.Remote;

namespace Distill.Service.Fleet;

internal enum WorkOutcome
{
    /// <summary>Every unit of the range is made or was set aside before.</summary>
    Done,

    /// <summary>The stage's units are counted; now they can be handed out.</summary>
    Divided,

    /// <summary>The stage, or the report, is made.</summary>
    Finished,

    /// <summary>It is no longer wanted: the stage is made, or the run is over or made from something else.</summary>
    Late,

    /// <summary>Stopped on demand.</summary>
    Returned,

    /// <summary>A fault; another attempt may do better.</summary>
    Failed,

    /// <summary>A gate of the run refused: that is its end.</summary>
    Refused,

    /// <summary>There is nothing to be made of what there is: that is its end too.</summary>
    EndedEarly,

    /// <summary>The process that made it ended.</summary>
    Died,
}

/// <param name="Units">That were made by this attempt.</param>
internal sealed record WorkResult(WorkOutcome Outcome, string Reason = "", int Units = 0);

/// <summary>A piece of work and the number of the claim on it.</summary>
internal sealed record ClaimedWork(FleetTask Task, int Number, string Worker);

/// <summary>Makes pieces of work, one at a time.</summary>
internal interface IWorkMaker
{
    /// <param name="detail">Told how far it is, in words, now and then; from any thread.</param>
    /// <param name="cancellation">Stops it at a safe point.</param>
    Task<WorkResult> MakeAsync(ClaimedWork work, Action<string> detail, CancellationToken cancellation);
}

/// <summary>
/// Makes pieces of work in this process: a stage, units of one, or a report. What the units of a stage share (a model, mostly) stays open
/// until another stage's come. One thread; dispose it.
/// </summary>
/// <param name="open">The run as this machine sees it.</param>
/// <param name="maker">Of its folders in the store: a plain file name.</param>
internal sealed class WorkMaker(FleetFolder folder, Func<string, SharedRun> open, string maker, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource ending = new();

    /// <summary>How long a stage is waited for whose holder was taken for dead.</summary>
    public TimeSpan Takeover { get; init; } = TimeSpan.FromSeconds(10);

    private Kept? kept;

    private sealed record Kept(FleetTask Task, SharedRun Run, SharedView View, SharedStage Stage) : IDisposable
    {
        /// <summary>Null as long as no unit was asked for.</summary>
        public SharedUnits? Units { get; set; }

        public void Dispose() => Units?.Dispose();
    }

    public WorkResult Make(ClaimedWork work, IRunObserver observer, CancellationToken cancellation)
    {
        var task = work.Task;
        try
        {
            using var used = Use(cancellation);
            if (task.Stage.Length == 0) return Report(task, observer, cancellation);
            if (Open(task) is not { } stage) return new(WorkOutcome.Late, "the stage is made, or made from something else by now");
            return task.Range.IsWhole ? MakeStage(stage, observer, cancellation) : MakeUnits(stage, work, observer, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Close();
            return new(WorkOutcome.Returned);
        }
        catch (GateFailedException gate)
        {
            return new(WorkOutcome.Refused, gate.Message);
        }
        catch (RunEndedException end)
        {
            return new(WorkOutcome.EndedEarly, end.Message);
        }
        // What else is thrown ends the process, which says it.
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException
            or InvalidRecipeException or RunRefusedException or RemoteTeacherException or DeviceUnavailableException)
        {
            Close();
            return new(WorkOutcome.Failed, fault.Message);
        }
    }

    public void Dispose()
    {
        ending.Cancel();
        Close();
        ending.Dispose();
    }

    private FileLock Use(CancellationToken cancellation)
    {
        var store = new ArtifactStore(Path.Combine(folder.RunsFolder, ArtifactStore.FolderName), clock);
        FileLock? used;
        while ((used = store.TryUse()) is null)
        {
            cancellation.WaitHandle.WaitOne(TimeSpan.FromSeconds(1)); // artefacts are being removed, which does not take long
            cancellation.ThrowIfCancellationRequested();
        }

        return used;
    }

    private WorkResult Report(FleetTask task, IRunObserver observer, CancellationToken cancellation)
    {
        Close();
        var run = open(task.Run);
        if (!run.IsPlannedHere) return new(WorkOutcome.Late, "the run is for a card that this machine does not have");
        var place = new RunFolder(folder.RunsFolder, task.Run);
        for (long began = clock.GetTimestamp(); place.IsLocked(); cancellation.WaitHandle.WaitOne(Look))
        {
            cancellation.ThrowIfCancellationRequested();
            // It may be frozen. Nothing is wrong with the run, which waits for its end.
            if (clock.GetElapsedTime(began) >= Takeover) return new(WorkOutcome.Late, "another process holds the run's folder");
        }

        var result = run.Report(observer, cancellation);
        return result.EndedEarly is { } reason ? new(WorkOutcome.EndedEarly, reason) : new(WorkOutcome.Finished);
    }

    /// <returns>Null where there is nothing to be made any more.</returns>
    private Kept? Open(FleetTask task)
    {
        if (kept is { } same && same.Task with { Range = task.Range } == task) return same;
        Close();
        var run = open(task.Run);
        var view = run.Look();
        if (view.Find(task.Stage, task.Key) is not { IsOpen: true } stage) return null;
        return kept = new Kept(task, run, view, stage);
    }

    private WorkResult MakeStage(Kept stage, IRunObserver observer, CancellationToken cancellation)
    {
        var notes = folder.WorkOn(stage.Stage.Place);
        if (stage.Stage.Stage is IDividedStage && notes.Division is null && Begin(stage, observer).Work.Units is > 1 and var units)
        {
            notes.Divide(new(stage.Stage.Name, units));
            notes.Cut(1, Dispatcher.FirstCut(units));
            return new(WorkOutcome.Divided);
        }

        if (notes.Division is { } division && notes.DoneUnits() < division.Units)
            return new(WorkOutcome.Late, "its units are handed out"); // a word from before they were
        kept = null;
        stage.Dispose(); // its model, and its folder: whoever joins takes the units out of it
        // Whoever had it before may be frozen, and hold it still, however those after it ended.
        bool isFreed = !notes.IsRenewed
            && notes.Claims(UnitRange.Whole).All(claim => claim.End?.Outcome is not (ClaimOutcome.Died or ClaimOutcome.Lost));
        stage.Run.Make(stage.Stage, stage.View, observer, isFreed ? null : Takeover, cancellation);
        return new(WorkOutcome.Finished);
    }

    private WorkResult MakeUnits(Kept stage, ClaimedWork work, IRunObserver observer, CancellationToken cancellation)
    {
        var (notes, range) = (folder.WorkOn(stage.Stage.Place), work.Task.Range);
        notes.Begin(range, work.Number, range.First);
        bool isFirst = stage.Units is null;
        var units = Begin(stage, observer);
        if (work.Number > 1 || (isFirst && notes.IsRenewed)) units.Join();
        var aside = notes.Bad().Select(bad => bad.Unit).ToHashSet();
        int made = 0;
        long began = clock.GetTimestamp();
        for (int unit = range.First; unit < range.End; unit++)
        {
            if (aside.Contains(unit)) continue;
            cancellation.ThrowIfCancellationRequested();
            if (!notes.IsThere) return new(WorkOutcome.Late, "others have made the stage", made);
            if (range.Count > 1) notes.Begin(range, work.Number, unit);
            if (units.Work.IsDone(unit)) continue;
            units.Work.Run([unit], cancellation);
            made++;
        }

        notes.MarkDone(range, new(work.Worker, clock.GetElapsedTime(began).TotalSeconds, made));
        return new(WorkOutcome.Done, "", made);
    }

    private SharedUnits Begin(Kept stage, IRunObserver observer) =>
        stage.Units ??= stage.Run.Begin(stage.Stage, stage.View, maker, observer, ending.Token);

    private void Close()
    {
        var closed = kept;
        kept = null;
        closed?.Dispose();
        // Whoever made the stage left what was still in use.
        if (closed?.Units is { } units && !folder.WorkOn(closed.Stage.Place).IsThere) units.Remove();
    }
}
