using System.Text.Json;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Tracking;

/// <summary>
/// Gives trackers what a run measures, on a thread of its own that reads <c>metrics.jsonl</c> as the run writes it: the file is the queue,
/// so that a tracker that is slow or gone neither stops the run nor loses anything. What it was given is noted in <c>tracking.json</c>;
/// <c>distill runs track</c> gives it the rest. Dispose it when the run has ended and its state is written.
/// </summary>
internal sealed class RunTracking : IDisposable
{
    public const string FileName = "tracking.json";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2), Retry = TimeSpan.FromSeconds(30);

    // A run that is stopped has seconds to end in; one that has ended by itself is waited for by nobody.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10), PatienceOfStopped = TimeSpan.FromSeconds(1);

    private readonly RunFolder folder;
    private readonly IReadOnlyList<TrackerFeed> feeds;
    private readonly IRunObserver observer;
    private readonly ManualResetEventSlim ending = new();
    private readonly Thread? thread;

    private RunTracking(RunFolder folder, IReadOnlyList<TrackerFeed> feeds, IRunObserver observer)
    {
        (this.folder, this.feeds, this.observer) = (folder, feeds, observer);
        if (feeds.Count == 0) return;
        thread = new Thread(Feed) { IsBackground = true, Name = "trackers" };
        thread.Start();
    }

    /// <summary>Begins to tell the trackers that recipe and environment name; without any, does nothing.</summary>
    public static RunTracking Begin(Recipe recipe, RunFolder folder, IRunObserver observer, TimeProvider clock)
    {
        var chosen = TrackerChoice.Of(recipe, Environment.GetEnvironmentVariable);
        foreach (string fault in chosen.Faults) observer.Warning(fault);
        if (chosen.Names.Count == 0) return new(folder, [], observer);
        var run = TrackedFiles.RunOf(recipe, folder, clock.GetUtcNow());
        return new(folder, [.. chosen.Open().Select(tracker => new TrackerFeed(tracker, run, folder))], observer);
    }

    /// <summary>Gives a run's trackers what they do not have yet, and its end.</summary>
    /// <returns>Points given, by tracker.</returns>
    /// <exception cref="IOException">One cannot be reached.</exception>
    /// <exception cref="RunRefusedException">The run is at work, and tells its trackers itself.</exception>
    public static IReadOnlyDictionary<string, int> Track(Recipe recipe, RunFolder folder, TrackerChoice chosen, TimeProvider clock)
    {
        using var held = folder.Lock();
        var run = TrackedFiles.RunOf(recipe, folder, clock.GetUtcNow());
        var given = new Dictionary<string, int>();
        foreach (var tracker in chosen.Open())
        {
            using var feed = new TrackerFeed(tracker, run, folder);
            try
            {
                given[tracker.Name] = feed.Give();
                if (TrackedFiles.EndOf(folder) is { } end) feed.End(end);
            }
            catch (HttpRequestException fault)
            {
                throw new IOException($"{tracker.Name} cannot be reached: {fault.Message}", fault);
            }
        }

        return given;
    }

    public void Dispose()
    {
        if (thread is null) return;
        ending.Set();
        // What hangs in a call to a tracker is left behind: the run is over, and its process need not wait.
        bool isOver = thread.Join(RunState.TryRead(folder.Path)?.Progress == RunProgress.Stopped ? PatienceOfStopped : Patience);
        foreach (var feed in feeds.Where(feed => !isOver || feed.Fault is not null))
        {
            observer.Warning($"{feed.Name} did not get all of this run ({feed.Fault ?? "it is slow"}); "
                + "when it can be reached again, 'distill runs track' brings the rest.");
        }

        if (isOver) ending.Dispose();
    }

    private void Feed()
    {
        var pause = Pause;
        while (!ending.Wait(pause))
        {
            foreach (var feed in feeds) feed.TryDo(() => feed.Give());
            pause = feeds.Any(feed => feed.Fault is not null) ? Retry : Pause;
        }

        foreach (var feed in feeds)
        {
            feed.TryDo(() =>
            {
                feed.Give();
                if (feed.LastEnd() is { } end) feed.End(end);
            });
            feed.Dispose();
        }
    }

    /// <summary>One tracker and how far it is. One thread.</summary>
    private sealed class TrackerFeed(ITracker tracker, TrackedRun run, RunFolder folder) : IDisposable
    {
        private MetricTail? tail;

        public string Name => tracker.Name;

        /// <summary>Why it could not be reached the last time; null when it could.</summary>
        public string? Fault { get; private set; }

        public int Give()
        {
            if (tail is null)
            {
                var place = tracker.Begin(run, TrackedFiles.PlaceOf(folder, Name), Keep);
                Keep(place);
                tail = new MetricTail(folder.MetricsPath, place.Bytes);
            }

            int given = 0;
            while (tail.Read() is { Count: > 0 } points)
            {
                tracker.Write(points);
                given += points.Count;
            }

            if (given > 0 && TrackedFiles.PlaceOf(folder, Name) is { } known)
                Keep(known with { Bytes = tail.Bytes });
            return given;

            void Keep(TrackedPlace place) => TrackedFiles.Keep(folder, Name, place);
        }

        public TrackedEnd? LastEnd() => TrackedFiles.EndOf(folder);

        public void End(TrackedEnd end) => tracker.End(end);

        public void TryDo(Action action)
        {
            try
            {
                action();
                Fault = null;
            }
            catch (Exception fault) when (fault is IOException or HttpRequestException or UnauthorizedAccessException or JsonException
                or InvalidOperationException)
            {
                Fault = fault.Message;
                tail = null; // it begins where the tracker's own word is
            }
        }

        public void Dispose() => tracker.Dispose();
    }
}
