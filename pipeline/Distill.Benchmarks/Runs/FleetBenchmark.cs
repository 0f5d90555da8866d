using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Runs;
using Distill.Service.Fleet;
using Distill.Service.Hosting;
using Distill.Service.Running;

namespace Distill.Benchmarks.Runs;

/// <summary>What handing out work costs, and how much faster more workers are: units that sleep, over a real queue in PostgreSQL.</summary>
internal sealed class FleetBenchmark : IBenchmark
{
    private static readonly TimeSpan Nap = TimeSpan.FromSeconds(1);

    public string Name => "fleet";

    public string Summary => "1 to 4 workers over a queue in PostgreSQL, and what 10,000 units cost beside their work";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        if (Environment.GetEnvironmentVariable(ServiceOptions.PostgresVariable) is not { Length: > 0 } postgres)
            throw new WorkloadAbsentException($"{ServiceOptions.PostgresVariable} is not set");
        var storage = RunQueue.StorageOf(postgres);
        var figures = new List<Figure>();
        int many = context.Quick ? 200 : 10_000, sleeping = context.Quick ? 16 : 160;
        var (queued, all, _) = Once(many, workers: 1, TimeSpan.Zero, onePerPiece: true);
        figures.Add(Figure.AtMost("coordination of a unit, queued one by one", 50, new Series([1000 * all / many]), "ms",
            $"{many:N0} units, each claimed, made, committed and noted; {1000 * queued / many:F1} ms of it to queue it"));
        var (_, one, digest) = Once(sleeping, 1, Nap, onePerPiece: false);
        figures.Add(Figure.Plain("1 worker", new Series([one]), "s", $"{sleeping} units of {Nap.TotalSeconds} s, report and all"));
        foreach (int workers in (int[])[2, 4])
        {
            var (_, seconds, same) = Once(sleeping, workers, Nap, onePerPiece: false);
            if (same != digest) throw new InvalidOperationException($"{workers} workers made something else than one.");
            figures.Add(Figure.AtLeast($"{workers} workers, share of linear", 0.9, new Series([one / (workers * seconds)]), "",
                $"{seconds:F1} s; equal digests"));
        }

        return figures;

        (double Queued, double All, string Digest) Once(int units, int workers, TimeSpan nap, bool onePerPiece)
        {
            using var folder = new TemporaryFolder();
            using var run = new SleepingRun(folder.Path, units, nap, context.Clock);
            return run.Measure(new FleetQueue(storage), storage, workers, onePerPiece, context);
        }
    }
}

/// <summary>A run of one stage whose units sleep, and workers for it in this process, each as one of its own would be.</summary>
internal sealed class SleepingRun(string runs, int units, TimeSpan nap, TimeProvider clock) : IDisposable
{
    private const string Run = "sleeping";

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);

    private readonly FleetFolder folder = new(runs);
    private readonly List<IDisposable> owned = [];

    public (double Queued, double All, string Digest) Measure(
        IWorkQueue queue, Hangfire.JobStorage storage, int workers, bool onePerPiece, BenchmarkContext context)
    {
        folder.Create();
        var place = new RunFolder(runs, Run);
        Directory.CreateDirectory(place.Path);
        WriteState(RunProgress.Running);
        if (onePerPiece)
        {
            var notes = folder.WorkOn(Open().Look().Stages[0].Place);
            notes.Divide(new("units", units));
            notes.Cut(1, new(0, units, 1));
        }

        var (orders, watch) = (new Orders(folder, clock), new WorkerWatch(folder, clock, WorkerWatch.Patience));
        var desk = new ClaimDesk(watch, clock);
        using var stop = new CancellationTokenSource();
        var started = Enumerable.Range(0, workers).Select(_ => Worker(orders, watch, desk, queue, storage, stop.Token)).ToList();
        var dispatcher = new Dispatcher(folder, orders, queue, _ => Open(), watch, desk, _ => { });
        double queued = 0, all = context.Seconds(() =>
        {
            queued = context.Seconds(() => dispatcher.Begin(Run));
            using var over = new ManualResetEventSlim();
            using var look = clock.CreateTimer(_ => LookAt(orders, over), null, Glance, Glance);
            over.Wait();
        });
        stop.Cancel();
        foreach (var server in started) server.Stop();
        foreach (var server in started) server.Dispose();
        return (queued, all, Storage.Artifact.Open(place.Inside("1-units")).Digest);
    }

    public void Dispose()
    {
        foreach (var one in owned.AsEnumerable().Reverse()) one.Dispose();
    }

    private static void LookAt(Orders orders, ManualResetEventSlim over)
    {
        if (!orders.IsThere(Run)) over.Set();
    }

    private FleetServer Worker(
        Orders orders, WorkerWatch watch, ClaimDesk desk, IWorkQueue queue, Hangfire.JobStorage storage, CancellationToken stop)
    {
        var place = WorkerPlace.Take(folder, QueueNames.All, null, clock);
        var maker = new WorkMaker(folder, _ => Open(), place.Note.Name, clock);
        var dispatcher = new Dispatcher(folder, orders, queue, _ => Open(), watch, desk, _ => { });
        var worker = new FleetWorker(place, orders, dispatcher, desk, queue, new ThreadedMaker(maker), clock, _ => { });
        owned.AddRange([place, maker, worker]);
        _ = worker.LookAsync(stop);
        return new FleetServer(storage, QueueNames.All, worker);
    }

    private SharedRun Open() => new(
        new RunFolder(runs, Run), new StageSelection(new RunOptions(), new StageGraph([new SleepingStage(units, nap)], "units")),
        _ => new Dictionary<string, StageInput>(), clock)
    {
        Recipe = "units",
        Report = (_, _) =>
        {
            WriteState(RunProgress.Finished);
            return new RunResult(Run, runs, null, null);
        },
    };

    private void WriteState(RunProgress progress)
    {
        string path = new RunFolder(runs, Run).Path;
        new RunState(RunState.CurrentFormat, progress, null, path, null, clock.GetUtcNow()).Write(path);
    }

    private sealed class ThreadedMaker(WorkMaker maker) : IWorkMaker
    {
        public Task<WorkResult> MakeAsync(ClaimedWork work, Action<string> detail, CancellationToken cancellation) =>
            Task.Run(() => maker.Make(work, new StageTimer(_ => { }), cancellation), CancellationToken.None);
    }

    private sealed class SleepingStage(int units, TimeSpan nap) : IDividedStage
    {
        public StageDeclaration Declaration { get; } = new()
            { Name = "units", Folder = "1-units", Kind = "units", Version = 1, Options = new() { ["units"] = units } };

        public string Work => "";

        public IStageWork Begin(StageContext context) => new SleepingWork(units, nap, context);
    }

    private sealed class SleepingWork(int count, TimeSpan nap, StageContext context) : IStageWork
    {
        public int Units => count;

        public bool IsDone(int unit) => context.TryTake(NameOf(unit)) is not null;

        public void Run(IReadOnlyList<int> units, CancellationToken cancellation)
        {
            foreach (int unit in units)
            {
                if (cancellation.WaitHandle.WaitOne(nap)) cancellation.ThrowIfCancellationRequested();
                context.Writer.WritePart(NameOf(unit), stream => stream.Write([(byte)unit, (byte)(unit >> 8)]));
            }
        }

        public string Finish() => $"{count} units";

        public void Dispose()
        {
        }

        private static string NameOf(int unit) => $"units/{unit:D5}";
    }
}
