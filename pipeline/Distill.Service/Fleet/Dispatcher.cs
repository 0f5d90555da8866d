using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Service.Fleet;

/// <summary>A piece of work, as the queue carries it: names and numbers, no path and no secret.</summary>
/// <param name="Stage">Empty, as the key, for the report.</param>
/// <param name="Key">Digest of what the stage is made from: who finds another one leaves it.</param>
internal readonly record struct FleetTask(string Run, string Stage, string Key, UnitRange Range);

/// <summary>Takes work to workers. May lose it, and may bring it twice.</summary>
internal interface IWorkQueue
{
    /// <exception cref="IOException">It cannot be reached.</exception>
    void Enqueue(FleetTask task, string queue);

    /// <summary>Whether nothing waits in it. What was taken out may be with somebody who is no more.</summary>
    /// <exception cref="IOException">It cannot be reached.</exception>
    bool IsEmpty(string queue);
}

/// <summary>
/// Hands out what can be worked on. Anybody may ask any number of times, at once too: a note that is made exclusively says what was
/// handed out. One thread.
/// </summary>
/// <param name="open">The run as this machine sees it.</param>
/// <param name="said">Told which runs nothing can be handed out of, once each time the reason changes.</param>
internal sealed class Dispatcher(
    FleetFolder folder, Orders orders, IWorkQueue queue, Func<string, SharedRun> open, WorkerWatch watch, ClaimDesk desk,
    Action<string> said)
{
    private readonly Dictionary<string, string> faults = new(StringComparer.Ordinal);

    /// <summary>Of a piece of work, where that can be: long against opening a model, short against what a death costs.</summary>
    private static readonly TimeSpan Piece = TimeSpan.FromMinutes(10);

    private const int FirstUnits = 8, MostCuts = 5, PiecesPerWorker = 2;

    /// <summary>How the first units of a stage are handed out, whose speed nobody knows.</summary>
    public static WorkCut FirstCut(int units) => new(0, Math.Min(units, FirstUnits), 1);

    /// <summary>Gives a run to the workers, or finds that they have it.</summary>
    public void Begin(string run)
    {
        var stages = OpenStages(run) ?? throw new RunRefusedException(
            $"The run '{run}' is for a card that this machine does not have. Give it to the workers on one that has.");
        if (!orders.IsThere(run))
        {
            var others = orders.All().SelectMany(order => order.Open).ToHashSet();
            foreach (var stage in stages.Where(stage => !others.Contains(stage))) orders.NotesOf(run, stage).Renew();
        }

        orders.TryCreate(run);
        Advance(run);
    }

    /// <summary>
    /// Hands out what has become possible since somebody looked last. A machine without the run's devices leaves that to the others.
    /// </summary>
    /// <exception cref="InvalidRecipeException">This machine lacks something that the recipe names.</exception>
    /// <exception cref="IOException">The queue or the folder cannot be reached.</exception>
    public void Advance(string run)
    {
        if (orders.Find(run) is not { } order || OpenStages(run) is not { } stages) return;
        if (!stages.SequenceEqual(order.Open)) orders.Write(run, stages);
        foreach (var made in order.Open.Except(stages)) orders.NotesOf(run, made).Remove();
        foreach (var stage in stages) HandOut(run, stage);
    }

    /// <summary>The same for every run that works on a stage: what one has made, others may wait for.</summary>
    public void AdvanceAll(string key)
    {
        foreach (var order in orders.All().Where(order => order.Open.Any(stage => stage.Key == key))) Try(order, () => Advance(order.Run));
    }

    /// <summary>
    /// Hands out what was lost: the work of workers that are gone, and all that is open when the queue has nothing. A run that cannot be
    /// read holds up no other.
    /// </summary>
    public void Review()
    {
        var all = orders.All();
        foreach (string worker in folder.Workers()) HandBack(worker, all);
        foreach (var order in all)
        {
            Try(order, () =>
            {
                Advance(order.Run);
                foreach (var stage in orders.Find(order.Run)?.Open ?? [])
                {
                    if (queue.IsEmpty(stage.Queue)) HandOutAgain(order.Run, stage);
                }
            });
        }
    }

    /// <summary>Whether this machine has the devices that the run is for.</summary>
    /// <param name="withoutCard">Whether its cards are left to other workers.</param>
    /// <exception cref="RunRefusedException">There is no such run.</exception>
    /// <exception cref="InvalidRecipeException">This machine lacks something that the recipe names.</exception>
    public bool IsPlannedHere(string run, bool withoutCard)
    {
        var shared = open(run);
        return shared.IsPlannedHere && !(withoutCard && shared.IsForCard);
    }

    /// <summary>What a worker was at that is gone goes to others at once; the queue itself would take minutes.</summary>
    /// <param name="doing">What its note says.</param>
    public void HandBack(WorkAtHand doing, IReadOnlyList<Order> all)
    {
        if (all.FirstOrDefault(order => order.Run == doing.Run)?.Open.FirstOrDefault(stage => stage.Name == doing.Stage) is not { } stage)
            return;
        var (notes, range) = (orders.NotesOf(doing.Run, stage), new UnitRange(doing.First, doing.End));
        if (notes.IsDone(range) || notes.Claims(range) is not [.., { End: null }]) return; // somebody saw to it
        if (desk.Settle(notes, range, null)) queue.Enqueue(new(doing.Run, stage.Stage, stage.Key, range), stage.Queue);
    }

    private void HandBack(string worker, IReadOnlyList<Order> all)
    {
        if (NoteFile.TryRead<WorkerNote>(folder.WorkerNote(worker)) is { Doing: { } doing } note && !watch.IsAlive(worker, note.Session))
            HandBack(doing, all);
    }

    private void Try(Order order, Action action)
    {
        try
        {
            action();
            faults.Remove(order.Run);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or InvalidDataException
            or InvalidRecipeException or RunRefusedException)
        {
            if (faults.GetValueOrDefault(order.Run) == fault.Message) return;
            faults[order.Run] = fault.Message;
            said($"Of the run '{order.Run}' nothing can be handed out here: {fault.Message}");
        }
    }

    /// <returns>Null where this machine cannot tell.</returns>
    private IReadOnlyList<OpenStage>? OpenStages(string run)
    {
        var shared = open(run);
        if (!shared.IsPlannedHere) return null;
        var view = shared.Look();
        if (view.IsFinished) return [OpenStage.ReportOn(QueueNames.Of(shared.ReportResource))];
        return [.. view.Stages.Where(stage => stage.IsOpen).Select(stage => new OpenStage(
            stage.Name, stage.Place.Kind, stage.Place.Digest, QueueNames.Of(stage.Stage.Declaration.Resource)))];
    }

    private void HandOut(string run, OpenStage stage)
    {
        var notes = orders.NotesOf(run, stage);
        if (notes.Bad().FirstOrDefault(bad => bad.Unit == UnitRange.NoUnit) is { } bad)
        {
            Fail(run, stage, [bad], 0);
            return;
        }

        if (notes.Division is not { } division)
        {
            Offer("whole", [UnitRange.Whole]);
            return;
        }

        var cuts = Cuts(notes, division, stage.Queue);
        for (int cut = 0; cut < cuts.Count; cut++) Offer($"cut-{cut + 1}", cuts[cut].Ranges());
        if (notes.DoneUnits() < division.Units) return;
        if (notes.Bad() is [_, ..] aside) Fail(run, stage, aside, division.Units);
        else Offer("join", [UnitRange.Whole]);

        void Offer(string name, IEnumerable<UnitRange> ranges)
        {
            if (!notes.TryHandOut(name)) return;
            foreach (var range in ranges) queue.Enqueue(new(run, stage.Stage, stage.Key, range), stage.Queue);
        }
    }

    private void HandOutAgain(string run, OpenStage stage)
    {
        var notes = orders.NotesOf(run, stage);
        UnitRange[] pending = notes.Division is { } division && notes.DoneUnits() < division.Units
            ? [.. notes.Cuts().SelectMany(cut => cut.Ranges()).Where(range => !notes.IsDone(range))] : [UnitRange.Whole];
        foreach (var range in pending.Where(range => desk.Settle(notes, range, null)))
            queue.Enqueue(new(run, stage.Stage, stage.Key, range), stage.Queue);
    }

    // A few units one by one; when the first of them is made, the rest in pieces that take some minutes each. They get smaller towards the
    // end, so that all come to it together. (Guided self-scheduling: Polychronopoulos and Kuck, 1987.)
    private IReadOnlyList<WorkCut> Cuts(WorkNotes notes, WorkDivision division, string label)
    {
        if (notes.Cuts().Count == 0) notes.Cut(1, FirstCut(division.Units));
        var cuts = notes.Cuts();
        if (cuts[^1].To == division.Units || notes.SecondsPerUnit() is not { } seconds) return cuts;
        int workers = Math.Max(1, watch.Living().Count(worker => worker.Queues.Contains(label)));
        double most = Math.Max(1, Math.Round(Piece.TotalSeconds / Math.Max(seconds, 1e-3)));
        for (int known = 0; cuts[^1].To < division.Units && cuts.Count > known; cuts = notes.Cuts())
        {
            known = cuts.Count; // a cut that cannot be written is none to wait for
            int from = cuts[^1].To, rest = division.Units - from, share = cuts.Count + 1 < MostCuts ? (rest + 1) / 2 : rest;
            int size = (int)Math.Clamp(Math.Ceiling((double)share / (PiecesPerWorker * workers)), 1, most);
            notes.Cut(cuts.Count + 1, new(from, size == 1 ? division.Units : from + share, size));
        }

        return cuts;
    }

    private void Fail(string run, OpenStage stage, IReadOnlyList<BadUnit> bad, int units)
    {
        string what = units == 0 ? $"'{stage.Name}' failed {ClaimDesk.MostEnds} times"
            : $"Of {units:N0} units of '{stage.Name}' {bad.Count:N0} failed {ClaimDesk.MostEnds} times each and were set aside "
                + $"({string.Join(", ", bad.Take(8).Select(unit => unit.Unit))}{(bad.Count > 8 ? ", …" : "")}); the others are made";
        orders.End(run, RunProgress.Failed, $"{what}. {string.Join("; ", bad[0].Reasons)}. When that is mended: distill fleet retry {run}");
    }
}
