using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Service.Running;

namespace Distill.Service.Fleet;

/// <summary>A run as seen by who asks workers for it: gives it to them, and watches. They need nobody who watches.</summary>
/// <param name="queue">Where work is handed out.</param>
/// <param name="open">A run as this machine sees it.</param>
internal sealed class FleetRun(string runsFolder, IWorkQueue queue, Func<string, SharedRun> open, TimeProvider clock)
{
    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(1), Review = TimeSpan.FromSeconds(10), Warn = TimeSpan.FromSeconds(20);

    private readonly FleetFolder folder = new(runsFolder);

    /// <param name="postgres">Connection string of the queue's database.</param>
    /// <exception cref="IOException">The database cannot be used; says nothing of its password.</exception>
    public static FleetRun Open(string runsFolder, string postgres, Func<string, SharedRun> open, TimeProvider clock) =>
        new(runsFolder, new FleetQueue(RunQueue.StorageOf(postgres)), open, clock);

    /// <summary>Gives a new run to the workers, or one that stopped or failed; units that were set aside are tried again.</summary>
    /// <exception cref="RunRefusedException">Its options are none for several processes, or another process works on it.</exception>
    public void Begin(DistillationRecipe recipe, RunOptions options, IRunObserver observer)
    {
        string name = options.Name ?? recipe.Name;
        if (!new Orders(folder, clock).IsThere(name)) PipelineRun.Entrust(recipe, options, observer, clock);
        Dispatcher(observer.Warning).Begin(name);
    }

    /// <summary>Takes a run back. What is at work on it ends at a safe point; everything that is made stays.</summary>
    /// <returns>False for a run that the workers do not have.</returns>
    public static bool Stop(string runsFolder, string run, string reason, TimeProvider clock)
    {
        var orders = new Orders(new FleetFolder(runsFolder), clock);
        if (!orders.IsThere(run)) return false;
        orders.End(run, RunProgress.Stopped, reason);
        return true;
    }

    /// <summary>Shows how far the workers are, and hands out what was lost, until the run is over.</summary>
    /// <returns>How it ended.</returns>
    public async Task<RunState> WatchAsync(string run, IRunObserver observer, CancellationToken cancellation)
    {
        var (orders, dispatcher, place) = (new Orders(folder, clock), Dispatcher(observer.Warning), new RunFolder(runsFolder, run));
        var shown = new ShownStages(place, observer, clock);
        long reviewed = clock.GetTimestamp(), began = reviewed;
        while (orders.IsThere(run))
        {
            var status = FleetStatus.Read(runsFolder, clock);
            if (status.Runs.FirstOrDefault(one => one.Run == run) is { } now)
                shown.Show(now, warns: clock.GetElapsedTime(began) > Warn);
            if (clock.GetElapsedTime(reviewed) > Review)
            {
                reviewed = clock.GetTimestamp();
                Try(dispatcher.Review, observer);
            }

            await Task.Delay(Glance, clock, cancellation).ConfigureAwait(false);
        }

        shown.End();
        return RunState.TryRead(place.Path) ?? throw new RunRefusedException($"The run '{run}' is not there any more: it was removed.");
    }

    private Dispatcher Dispatcher(Action<string> said)
    {
        var (orders, watch) = (new Orders(folder, clock), new WorkerWatch(folder, clock, WorkerWatch.Patience));
        return new(folder, orders, queue, open, watch, new ClaimDesk(watch, clock), said);
    }

    // The database may be away for a while; workers go on without it, and so does who watches.
    private static void Try(Action action, IRunObserver observer)
    {
        try
        {
            action();
        }
        catch (IOException fault)
        {
            observer.Warning(fault.Message);
        }
    }

    /// <summary>What was told of a run's stages.</summary>
    private sealed class ShownStages(RunFolder place, IRunObserver observer, TimeProvider clock)
    {
        private readonly Dictionary<string, long> begun = new(StringComparer.Ordinal);
        private readonly HashSet<string> warned = new(StringComparer.Ordinal), counted = new(StringComparer.Ordinal);
        private string? measured; // the stage with units that was announced last: progress is shown of one

        public void Show(FleetRunStatus status, bool warns)
        {
            foreach (string ended in begun.Keys.Except(status.Stages.Select(stage => stage.Stage)).ToList()) Finish(ended);
            foreach (var stage in status.Stages)
            {
                if (begun.TryAdd(stage.Stage, clock.GetTimestamp())) observer.StageStarted(stage.Stage, $"by workers, queue {stage.Queue}");
                if (warns && !stage.HasWorkers && warned.Add(stage.Queue))
                    observer.Warning($"No worker takes the queue '{stage.Queue}'. Start one: distill worker --queues {stage.Queue}");
                if (stage.Units is not { } units) continue;
                if (counted.Add(stage.Stage))
                {
                    measured = stage.Stage;
                    observer.StageStarted(stage.Stage, $"{units:N0} units");
                }

                if (measured == stage.Stage)
                    observer.Progress(stage.Stage, new StageProgress(stage.Done, units, "units", Detail(stage)));
            }
        }

        public void End()
        {
            foreach (string stage in begun.Keys.ToList()) Finish(stage);
        }

        private static string Detail(FleetStageStatus stage)
        {
            string workers = $"{stage.AtWork.Count} {(stage.AtWork.Count == 1 ? "worker" : "workers")}";
            return stage.SetAside.Count == 0 ? workers : $"{workers}, {stage.SetAside.Count} set aside";
        }

        // What it says of itself lies in the store, if it came to its end.
        private void Finish(string stage)
        {
            begun.Remove(stage, out long began);
            if (RunCatalogue.StageOf(place, stage) is { Digest: not null } made)
                observer.StageFinished(stage, clock.GetElapsedTime(began), made.Summary);
        }
    }
}
