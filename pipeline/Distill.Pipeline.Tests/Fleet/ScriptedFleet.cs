using System.Collections.Concurrent;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;
using Distill.Service.Fleet;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Fleet;

/// <summary>A run of two stages, the first in units that do what the test says, and workers for it within the test's own process.</summary>
internal sealed class ScriptedFleet : IDisposable
{
    public const string Run = "scripted";

    private readonly TemporaryFolder folder = new();
    private readonly List<IDisposable> owned = [];

    public ScriptedFleet(int units)
    {
        Units = units;
        Folder = new FleetFolder(folder.Path);
        Folder.Create();
        Orders = new(Folder, TimeProvider.System);
        Directory.CreateDirectory(Place.Path);
        WriteState(RunProgress.Running);
    }

    public int Units { get; }

    public FleetFolder Folder { get; }

    public Orders Orders { get; }

    /// <summary>Told of every unit before it is made, by the worker's name.</summary>
    public Action<string, int> BeforeUnit { get; set; } = (_, _) => { };

    /// <summary>The worker whose unfinished last stage another one continued.</summary>
    public string? WentOnFrom { get; private set; }

    /// <summary>Whether the machine of a worker has the run's devices.</summary>
    public Func<string, bool> IsPlanned { get; set; } = _ => true;

    public bool IsForCard { get; set; }

    /// <summary>What those who hand out work said.</summary>
    public ConcurrentQueue<string> Told { get; } = new();

    /// <summary>How often each unit was made.</summary>
    public ConcurrentDictionary<int, int> Made { get; } = new();

    public RunFolder Place => new(folder.Path, Run);

    public RunState State => RunState.TryRead(Place.Path)!;

    /// <summary>Of what the run's last stage made.</summary>
    public string Digest => Artifact.Open(Path.Combine(Place.Path, "2-sum")).Digest;

    /// <summary>Where a link of the run leads.</summary>
    public string PlaceOf(string link) => new DirectoryInfo(Place.Inside(link)).LinkTarget!;

    public string Store => folder.Path;

    /// <param name="name">Of the worker; the stage tells it what it makes.</param>
    public SharedRun Open(string name)
    {
        var graph = new StageGraph([new UnitsStage(this, name), new SumStage(this, name)], "sum");
        return new(Place, new StageSelection(new RunOptions(), graph), _ => new Dictionary<string, StageInput>(), TimeProvider.System)
        {
            Recipe = "scripted",
            IsPlannedHere = IsPlanned(name),
            IsForCard = IsForCard,
            Report = (_, _) =>
            {
                using var held = Place.Lock();
                WriteState(RunProgress.Finished);
                return new RunResult(Run, Place.Path, null, null);
            },
        };
    }

    public Dispatcher Dispatcher(IWorkQueue queue, TimeSpan? patience = null)
    {
        var watch = new WorkerWatch(Folder, TimeProvider.System, patience ?? WorkerWatch.Patience);
        return new(Folder, Orders, queue, OpenKnown, watch, new ClaimDesk(watch, TimeProvider.System), Told.Enqueue);
    }

    /// <param name="alter">Stands between the worker and what makes its work.</param>
    public FleetWorker Worker(
        IWorkQueue queue, TimeSpan? patience = null, Func<IWorkMaker, IWorkMaker>? alter = null, Action<string>? said = null,
        string? device = null)
    {
        var place = WorkerPlace.Take(Folder, QueueNames.All, device, TimeProvider.System);
        var watch = new WorkerWatch(Folder, TimeProvider.System, patience ?? WorkerWatch.Patience);
        var desk = new ClaimDesk(watch, TimeProvider.System);
        string name = place.Note.Name;
        var maker = new WorkMaker(Folder, _ => Open(name), name, TimeProvider.System) { Takeover = TimeSpan.FromMilliseconds(200) };
        var dispatcher = new Dispatcher(Folder, Orders, queue, _ => Open(name), watch, desk, Told.Enqueue);
        IWorkMaker threaded = new ThreadedMaker(maker);
        owned.AddRange([place, maker]);
        return new(place, Orders, dispatcher, desk, queue, alter?.Invoke(threaded) ?? threaded, TimeProvider.System, said ?? (_ => { }))
        {
            ReviewInterval = TimeSpan.FromMilliseconds(300), Pause = TimeSpan.FromMilliseconds(1), Yield = TimeSpan.FromMilliseconds(1),
        };
    }

    /// <summary>What one process alone makes of the same.</summary>
    public static string DigestOf(int units)
    {
        using var alone = new ScriptedFleet(units);
        var run = alone.Open("alone");
        while (run.Look() is { IsFinished: false } view)
            run.Make(view.Stages.First(stage => stage.IsOpen), view, new RecordingObserver(), null, CancellationToken.None);
        return alone.Digest;
    }

    public void Dispose()
    {
        foreach (var one in owned.AsEnumerable().Reverse()) one.Dispose();
        folder.Dispose();
    }

    private SharedRun OpenKnown(string run) => run == Run ? Open("dispatcher") : throw new RunRefusedException($"No run '{run}'.");

    private void WriteState(RunProgress progress) =>
        new RunState(RunState.CurrentFormat, progress, null, Place.Path, null, TimeProvider.System.GetUtcNow()).Write(Place.Path);

    private sealed class ThreadedMaker(WorkMaker maker) : IWorkMaker
    {
        public Task<WorkResult> MakeAsync(ClaimedWork work, Action<string> detail, CancellationToken cancellation) =>
            Task.Run(() => maker.Make(work, new RecordingObserver(), cancellation), CancellationToken.None);
    }

    private sealed class UnitsStage(ScriptedFleet fleet, string name) : IDividedStage
    {
        public StageDeclaration Declaration { get; } = new()
            { Name = "units", Folder = "1-units", Kind = "units", Version = 1, Options = new() { ["units"] = fleet.Units } };

        public string Work => "";

        public IStageWork Begin(StageContext context) => new UnitsWork(fleet, name, context);
    }

    private sealed class UnitsWork(ScriptedFleet fleet, string name, StageContext context) : IStageWork
    {
        public int Units => fleet.Units;

        public bool IsDone(int unit) => context.TryTake(NameOf(unit)) is not null;

        public void Run(IReadOnlyList<int> units, CancellationToken cancellation)
        {
            foreach (int unit in units)
            {
                fleet.BeforeUnit(name, unit);
                cancellation.ThrowIfCancellationRequested();
                context.Writer.WritePart(NameOf(unit), stream => stream.Write([(byte)unit, (byte)(unit * 7)]));
                fleet.Made.AddOrUpdate(unit, 1, (_, count) => count + 1);
            }
        }

        public string Finish() => $"{Units} units";

        public void Dispose()
        {
        }

        private static string NameOf(int unit) => $"unit-{unit:D5}.bin";
    }

    private sealed class SumStage(ScriptedFleet fleet, string name) : IStage
    {
        public StageDeclaration Declaration { get; } = new()
            { Name = "sum", Folder = "2-sum", Kind = "sum", Version = 1, Inputs = ["units"], Resource = StageResource.Model };

        public string Work => "";

        public string Run(StageContext context)
        {
            string state = Path.Combine(context.Folder, "state");
            if (!File.Exists(state)) File.WriteAllText(state, name);
            else fleet.WentOnFrom = File.ReadAllText(state);
            fleet.BeforeUnit(name, UnitRange.NoUnit);
            int sum = context.Input("units").PathsOf(".bin").Sum(path => File.ReadAllBytes(path).Sum(one => one));
            context.Writer.Write("sum.txt", System.Text.Encoding.UTF8.GetBytes($"{sum}"));
            return $"{sum}";
        }
    }
}

/// <summary>A queue in memory, out of which workers take.</summary>
internal sealed class ListQueue : IWorkQueue
{
    private readonly ConcurrentQueue<FleetTask> waiting = new();

    /// <summary>How often what is put in comes out.</summary>
    public int Copies { get; set; } = 1;

    public void Enqueue(FleetTask task, string queue)
    {
        for (int copy = 0; copy < Copies; copy++) waiting.Enqueue(task);
    }

    public bool IsEmpty(string queue) => waiting.IsEmpty;

    public bool TryTake(out FleetTask task) => waiting.TryDequeue(out task);

    /// <summary>Has workers take from it until the run is over.</summary>
    public async Task ServeAsync(ScriptedFleet fleet, CancellationToken cancellation, params FleetWorker[] workers)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAll(workers.Select(worker => Task.Run(() => TakeAsync(worker, over.Token), CancellationToken.None))
            .Append(EndAsync(fleet, over)));
    }

    private static async Task EndAsync(ScriptedFleet fleet, CancellationTokenSource over)
    {
        while (fleet.Orders.IsThere(ScriptedFleet.Run)) await Task.Delay(10, over.Token);
        await over.CancelAsync();
    }

    private async Task TakeAsync(FleetWorker worker, CancellationToken cancellation)
    {
        var looking = worker.LookAsync(cancellation);
        while (!cancellation.IsCancellationRequested)
        {
            if (!waiting.TryDequeue(out var task))
            {
                await Task.Delay(5, CancellationToken.None);
                continue;
            }

            try
            {
                await worker.DoAsync(task, cancellation);
            }
            catch (OperationCanceledException)
            {
                waiting.Enqueue(task);
            }
        }

        await looking;
    }
}
