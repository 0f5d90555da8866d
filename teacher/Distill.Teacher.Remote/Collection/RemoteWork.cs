using Distill.Data.Problems;
using Distill.Data.Traces;

namespace Distill.Teacher.Remote.Collection;

/// <param name="Index">Of its row in the part.</param>
internal sealed record RemoteItem(int Part, int Index, Problem Problem, int Sample);

/// <summary>The problems of a collection, read part by part in order.</summary>
/// <param name="Count">Of all.</param>
/// <param name="Read">Part index → its problems. One thread at a time.</param>
internal sealed record RemoteProblems(int Count, Func<int, IReadOnlyList<Problem>> Read)
{
    public static RemoteProblems Of(IReadOnlyList<Problem> problems, int size) =>
        new(problems.Count, part => [.. problems.Skip(part * size).Take(size)]);
}

/// <summary>
/// Which completions are still to be made, and the parts they fill. Parts are opened as they are needed, so that memory does not grow with
/// the problems. Thread-safe; the sink and the progress are called under its lock.
/// </summary>
internal sealed class RemoteWork
{
    private readonly Lock gate = new();
    private readonly List<RemotePart> open = [];
    private readonly Queue<int> unopened;
    private readonly RemoteProblems problems;
    private readonly RemoteTraceOptions options;
    private readonly Action<TracePart> sink;
    private readonly Action<TraceProgress>? progress;
    private readonly TimeProvider clock;
    private readonly CancellationToken deadline;
    private readonly long began;
    private readonly int total;
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool isStopped;
    private int underWay, settled;
    private long tokens;

    /// <param name="deadline">Nothing is begun after it; what is under way ends as ever.</param>
    public RemoteWork(
        RemoteProblems problems, RemoteTraceOptions options, Func<int, bool> isFinished, Action<TracePart> sink,
        Action<TraceProgress>? progress, TimeProvider clock, CancellationToken deadline)
    {
        (this.problems, this.options, this.sink, this.progress, this.clock) = (problems, options, sink, progress, clock);
        this.deadline = deadline;
        began = clock.GetTimestamp();
        total = problems.Count * options.Samples;
        int parts = (problems.Count + options.ProblemsPerPart - 1) / options.ProblemsPerPart;
        unopened = new(Enumerable.Range(0, parts).Where(part => !isFinished(part)));
        settled = total - unopened.Sum(part => SizeOf(part) * options.Samples);
        progress?.Invoke(Progress());
    }

    /// <summary>Whether anything may still be begun; asked when no worker is at work.</summary>
    public bool HasMore
    {
        get
        {
            lock (gate)
                return !isStopped && !deadline.IsCancellationRequested && (unopened.Count > 0 || open.Any(part => part.HasWaiting));
        }
    }

    /// <summary>The next completion to be made; waits where it depends on those under way.</summary>
    /// <returns>Null when nothing is left to begin.</returns>
    public async ValueTask<RemoteItem?> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            Task wait;
            lock (gate)
            {
                if (isStopped || deadline.IsCancellationRequested) return null;
                if (Take() is { } item) return item;
                if (underWay == 0) return null;
                wait = changed.Task;
            }

            await wait.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Nothing more is begun.</summary>
    public void Stop()
    {
        lock (gate)
        {
            isStopped = true;
            Signal();
        }
    }

    /// <summary>An item that ends later, by <see cref="Finish"/>, when all others have ended: nobody waits for it.</summary>
    public void Hold(RemoteItem item)
    {
        lock (gate)
        {
            underWay--;
            PartOf(item).Held++;
            Signal();
        }
    }

    /// <param name="isNew">Generated now; what was kept before says nothing about the rate.</param>
    /// <param name="wasHeld">It was given to <see cref="Hold"/> before.</param>
    public void Finish(RemoteItem item, Trace trace, bool isNew, bool wasHeld = false)
    {
        // A judge may take its time: the others go on meanwhile.
        bool isRight = options.Policy is { IsAdaptive: true } && (options.IsRight?.Invoke(trace) ?? false);
        lock (gate)
        {
            var part = PartOf(item);
            if (wasHeld) part.Held--;
            else underWay--;
            settled -= part.Settled;
            part.End(item, trace, isRight);
            settled += part.Settled;
            if (isNew) tokens += trace.CompletionTokens;
            if (part.IsFinished) Close(part);
            Signal();
            progress?.Invoke(Progress());
        }
    }

    /// <summary>After the deadline: parts that were begun end with what there is. No worker may be at work.</summary>
    public void Cut()
    {
        lock (gate) CloseAll(part => part.HasRows);
    }

    private RemoteItem? Take()
    {
        while (true)
        {
            foreach (var part in open)
            {
                if (part.Next() is not { } item) continue;
                underWay++;
                return item;
            }

            // A part whose budget lets nothing begin ends when nothing of it is under way.
            CloseAll(part => part.IsFinished);
            if (!unopened.TryDequeue(out int next)) return null;
            int first = next * options.ProblemsPerPart;
            var read = problems.Read(next);
            open.Add(new RemotePart(next, read, options, options.Budget.Share(first, first + read.Count, problems.Count)));
        }
    }

    private void CloseAll(Predicate<RemotePart> which)
    {
        var ended = open.FindAll(which);
        foreach (var part in ended) Close(part);
        if (ended.Count > 0) progress?.Invoke(Progress());
    }

    private void Close(RemotePart part)
    {
        open.Remove(part);
        settled += (SizeOf(part.Index) * options.Samples) - part.Settled;
        sink(new TracePart(part.Index, part.Rows()));
    }

    private RemotePart PartOf(RemoteItem item) => open.Find(part => part.Index == item.Part)
        ?? throw new InvalidOperationException($"Part {item.Part} is not open.");

    private void Signal()
    {
        changed.SetResult();
        changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private int SizeOf(int part) => Math.Min(options.ProblemsPerPart, problems.Count - (part * options.ProblemsPerPart));

    private TraceProgress Progress() => new(settled, total, tokens, clock.GetElapsedTime(began));
}
