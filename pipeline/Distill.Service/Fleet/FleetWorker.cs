using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Service.Fleet;

/// <summary>
/// Does what the queue brings, one piece at a time, and looks for lost work when it brings nothing. Nothing that the queue says is
/// believed: whether a piece is still wanted, free and whole, the notes and the store say.
/// </summary>
/// <param name="said">Told what is worth noting down, without secrets; from any thread.</param>
internal sealed class FleetWorker(
    WorkerPlace place, Orders orders, Dispatcher dispatcher, ClaimDesk desk, IWorkQueue queue, IWorkMaker maker, TimeProvider clock,
    Action<string> said) : IDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(3), LongestPause = TimeSpan.FromMinutes(1);

    private const int MostOwed = 1000;

    private readonly SemaphoreSlim one = new(1, 1);
    private readonly Queue<Action> owed = new();
    private (string Key, Frontier Frontier)? frontier;
    private (string Run, string Key, bool IsHere)? planned;
    private int troubles;

    /// <summary>How often lost work is looked for.</summary>
    public TimeSpan ReviewInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Doubled at every failure in a row: a machine on which everything fails must not spend all attempts of everything.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Of a worker that put a piece back which is not for it: others come first.</summary>
    public TimeSpan Yield { get; init; } = TimeSpan.FromSeconds(1);

    /// <exception cref="OperationCanceledException">Stopped; the piece waits for another one.</exception>
    public async Task DoAsync(FleetTask task, CancellationToken cancellation)
    {
        await one.WaitAsync(cancellation).ConfigureAwait(false);
        bool isForOthers = false;
        try
        {
            PayOwed();
            if (orders.Find(task.Run)?.Open.FirstOrDefault(open => open.Stage == task.Stage && open.Key == task.Key) is { } stage)
            {
                isForOthers = !IsForThis(task, stage);
                if (isForOthers) queue.Enqueue(task, stage.Queue);
                else if (!IsHeld(task, stage)) await DoAsync(task, stage, cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException
            or InvalidRecipeException or RunRefusedException)
        {
            troubles++; // of its own notes, or a run that it cannot read; whoever looks for lost work finds it
            said($"{task.Range} of '{task.Run}': {fault.Message}");
        }
        finally
        {
            Try("notes", () => place.Write(note => note with { Doing = null }));
            one.Release();
        }

        if (isForOthers) await Task.Delay(Yield, clock, cancellation).ConfigureAwait(false);
        if (troubles == 0) return;
        var pause = Pause * Math.Pow(2, Math.Min(troubles - 1, 10));
        await Task.Delay(pause < LongestPause ? pause : LongestPause, clock, cancellation).ConfigureAwait(false);
    }

    /// <summary>Says every few seconds that it is there, and looks for lost work. Ends when it is stopped.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Beat, clock);
        long reviewed = clock.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                Try("notes", () => place.Write(note => note));
                bool isDue = clock.GetElapsedTime(reviewed) >= ReviewInterval;
                // Who is at work leaves it to the others, and looks when it is done.
                if (!isDue || !await one.WaitAsync(TimeSpan.Zero, cancellation).ConfigureAwait(false)) continue;
                try
                {
                    Try("review", Review);
                }
                finally
                {
                    one.Release();
                }

                reviewed = clock.GetTimestamp();
            }
        }
        catch (OperationCanceledException)
        {
            // The worker stops.
        }
    }

    public void Dispose() => one.Dispose();

    /// <summary>What another one left that had this one's name goes to whoever comes first.</summary>
    public void TakeOver(WorkAtHand former) => Try("handing out", () => dispatcher.HandBack(former, orders.All()));

    private void Review()
    {
        PayOwed();
        dispatcher.Review();
    }

    // Ends of claims that could not be noted when they came.
    private void PayOwed()
    {
        while (owed.TryPeek(out var end) && Try("notes", end)) owed.Dequeue();
    }

    // Whoever writes the report holds the run's folder, and may be frozen: the review hands it out again.
    private bool IsHeld(FleetTask task, OpenStage stage) => stage.IsReport && new RunFolder(orders.RunsFolder, task.Run).IsLocked();

    // A claim on what only a machine with other devices can make would count as an attempt.
    private bool IsForThis(FleetTask task, OpenStage stage)
    {
        if (!stage.IsReport && stage.Queue != QueueNames.Gpu) return true;
        if (planned is { } known && known.Run == task.Run && known.Key == task.Key && task.Key.Length > 0) return known.IsHere;
        bool isHere = dispatcher.IsPlannedHere(task.Run, withoutCard: place.Note.Device == WorkerNote.Processor);
        planned = (task.Run, task.Key, isHere);
        return isHere;
    }

    private async Task DoAsync(FleetTask task, OpenStage stage, CancellationToken cancellation)
    {
        var (notes, range) = (orders.NotesOf(task.Run, stage), task.Range);
        place.Write(note => note with { Doing = new(task.Run, stage.Name, range.First, range.End, clock.GetUtcNow(), "") });
        var (verdict, number) = desk.Take(notes, range, place.Note);
        if (verdict == ClaimVerdict.Busy) return;
        if (verdict == ClaimVerdict.Taken)
        {
            using var wanted = new CancellationTokenSource();
            var watch = clock.CreateTimer(_ => StopUnwanted(task.Run, wanted), null, Beat, Beat);
            await using var watched = watch.ConfigureAwait(false); // waits for a look that is under way
            using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellation, wanted.Token);
            var result = await MakeAsync(task, stage, notes, number, any.Token).ConfigureAwait(false);
            if (result.Outcome == WorkOutcome.Returned) cancellation.ThrowIfCancellationRequested();
        }

        Try("handing out", () => Follow(task, stage, notes));
    }

    // Whatever happens, the claim comes to an end: nobody else may take what a living worker has claimed.
    private async Task<WorkResult> MakeAsync(
        FleetTask task, OpenStage stage, WorkNotes notes, int number, CancellationToken cancellation)
    {
        WorkResult result = new(WorkOutcome.Failed, "what makes the work ended with a fault of its own");
        try
        {
            result = await maker.MakeAsync(new(task, number, place.Note.Name), Show, cancellation).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            result = new(WorkOutcome.Failed, fault.Message); // its process cannot be started
        }
        finally
        {
            Note(task, stage, notes, number, result);
        }

        return result;
    }

    private void Show(string detail) =>
        Try("notes", () => place.Write(note => note with { Doing = note.Doing is { } doing ? doing with { Detail = detail } : null }));

    private void StopUnwanted(string run, CancellationTokenSource wanted)
    {
        if (!orders.IsThere(run)) wanted.Cancel();
    }

    private void Note(FleetTask task, OpenStage stage, WorkNotes notes, int number, WorkResult result)
    {
        troubles = result.Outcome is WorkOutcome.Failed or WorkOutcome.Died ? troubles + 1 : 0;
        string what = $"{stage.Name} {task.Range} of '{task.Run}'";
        switch (result.Outcome)
        {
            case WorkOutcome.Done:
                Tell(note => note with { Units = note.Units + result.Units, Trouble = null });
                break;
            case WorkOutcome.Divided:
                End(ClaimOutcome.Divided, "it has units");
                break;
            case WorkOutcome.Returned:
                End(ClaimOutcome.Returned, result.Reason);
                break;
            case WorkOutcome.Failed or WorkOutcome.Died:
                End(result.Outcome == WorkOutcome.Died ? ClaimOutcome.Died : ClaimOutcome.Failed, result.Reason);
                said($"{what}: {result.Reason}");
                Tell(note => note with { Trouble = result.Reason });
                break;
            case WorkOutcome.Refused:
                orders.End(task.Run, RunProgress.Failed, result.Reason, RunVerdict.Refused);
                break;
            case WorkOutcome.EndedEarly:
                orders.End(task.Run, RunProgress.Stopped, result.Reason, RunVerdict.EndedEarly);
                break;
            case WorkOutcome.Finished when stage.IsReport:
                orders.Close(task.Run);
                break;
            case WorkOutcome.Late:
                End(ClaimOutcome.Returned, result.Reason);
                break;
            case WorkOutcome.Finished:
                break;
        }

        // An end that cannot be noted now is noted later: until then the others take this worker's word that it is at it.
        void End(ClaimOutcome outcome, string reason)
        {
            void Write() => desk.End(notes, task.Range, number, outcome, reason);
            if (!Try("notes", Write) && owed.Count < MostOwed) owed.Enqueue(Write);
        }

        void Tell(Func<WorkerNote, WorkerNote> change) => Try("notes", () => place.Write(change));
    }

    // What became possible by it. A piece that came to no end goes to the end of the queue.
    private void Follow(FleetTask task, OpenStage stage, WorkNotes notes)
    {
        if (!orders.IsThere(task.Run)) return;
        if (task.Range.IsWhole || FrontierOf(task, notes).IsReached()) dispatcher.AdvanceAll(task.Key);
        bool isOpen = orders.Find(task.Run)?.Open.Contains(stage) == true;
        if (!isOpen || notes.IsDone(task.Range)) return;
        if (notes.Claims(task.Range) is [.., { End.Outcome: ClaimOutcome.Died or ClaimOutcome.Failed or ClaimOutcome.Lost }])
            queue.Enqueue(task, stage.Queue);
    }

    private Frontier FrontierOf(FleetTask task, WorkNotes notes)
    {
        if (frontier is not { } known || known.Key != task.Key) frontier = known = (task.Key, new Frontier(notes));
        return known.Frontier;
    }

    private bool Try(string what, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException
            or InvalidRecipeException or RunRefusedException)
        {
            said($"{what}: {fault.Message}");
            return false;
        }
    }
}
