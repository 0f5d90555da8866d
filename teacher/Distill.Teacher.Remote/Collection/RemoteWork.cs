using Distill.Data.Problems;
using Distill.Data.Traces;

namespace Distill.Teacher.Remote.Collection;

internal sealed record RemoteItem(int Part, int Index, Problem Problem, int Sample);

/// <summary>
/// Which completions are still to be made, and the parts they fill. Thread-safe; the sink and the progress are called under its lock.
/// </summary>
internal sealed class RemoteWork
{
    private readonly Lock gate = new();
    private readonly Queue<RemoteItem> waiting = new();
    private readonly Dictionary<int, UnfinishedPart> parts = [];
    private readonly Action<TracePart> sink;
    private readonly Action<TraceProgress>? progress;
    private readonly TimeProvider clock;
    private readonly long began;
    private readonly int total;
    private int finished;
    private long tokens;

    public RemoteWork(
        IReadOnlyList<Problem> problems, RemoteTraceOptions options, Func<int, bool> isFinished, Action<TracePart> sink,
        Action<TraceProgress>? progress, TimeProvider clock)
    {
        (this.sink, this.progress, this.clock) = (sink, progress, clock);
        began = clock.GetTimestamp();
        total = problems.Count * options.Samples;
        foreach (var (part, chunk) in problems.Chunk(options.ProblemsPerPart).Index())
        {
            if (isFinished(part)) finished += chunk.Length * options.Samples;
            else Add(part, chunk, options.Samples);
        }

        progress?.Invoke(Progress());
    }

    /// <returns>Null when nothing is left to begin.</returns>
    public RemoteItem? Next()
    {
        lock (gate) return waiting.TryDequeue(out var item) ? item : null;
    }

    /// <summary>Nothing more is begun.</summary>
    public void Stop()
    {
        lock (gate) waiting.Clear();
    }

    /// <param name="isNew">Generated now; what was kept before says nothing about the rate.</param>
    public void Finish(RemoteItem item, Trace trace, bool isNew)
    {
        lock (gate)
        {
            var part = parts[item.Part];
            part.Traces[item.Index] = trace;
            finished++;
            if (isNew) tokens += trace.CompletionTokens;
            if (--part.Missing == 0)
            {
                parts.Remove(item.Part);
                sink(new TracePart(item.Part, part.Traces));
            }

            progress?.Invoke(Progress());
        }
    }

    private void Add(int part, Problem[] chunk, int samples)
    {
        parts[part] = new UnfinishedPart(chunk.Length * samples);
        for (int index = 0; index < chunk.Length * samples; index++)
            waiting.Enqueue(new RemoteItem(part, index, chunk[index / samples], index % samples));
    }

    private TraceProgress Progress() => new(finished, total, tokens, clock.GetElapsedTime(began));

    private sealed class UnfinishedPart(int count)
    {
        public Trace[] Traces { get; } = new Trace[count];

        public int Missing { get; set; } = count;
    }
}
