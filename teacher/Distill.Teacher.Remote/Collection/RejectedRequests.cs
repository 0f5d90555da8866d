using Distill.Data.Traces;

namespace Distill.Teacher.Remote.Collection;

/// <summary>A trace of a question that was not taken, which counts once it is known that others are.</summary>
internal sealed record HeldTrace(RemoteItem Item, Trace Trace);

/// <summary>
/// Tells a question that an endpoint does not take from a request that it never will. One of many is dropped with its reason; the
/// collection stops where the first questions are refused and none was answered yet (two, or as many as are asked at once), where more
/// than half of the last <see cref="Window"/> requests were refused, and at the end where more were refused than answered, now or by an
/// earlier run. Until then a refused question is held back, so that what a wrong option did is in no row. Thread-safe.
/// </summary>
/// <param name="concurrency">Requests under way at once.</param>
internal sealed class RejectedRequests(int concurrency)
{
    /// <summary>Requests that are looked back upon.</summary>
    public const int Window = 20;

    private readonly Lock gate = new();
    private readonly Dictionary<string, string> reasons = new(StringComparer.Ordinal);
    private readonly Queue<(HeldTrace Trace, long Since)> held = new();
    private readonly Queue<bool> recent = new(); // whether refused
    private RemoteTeacherException? first;
    private bool isAccepted;
    private long answered, outcomes;

    /// <summary>Questions that were dropped, each once.</summary>
    public int Count
    {
        get { lock (gate) return reasons.Count; }
    }

    /// <summary>Why the first of them was; null when none was.</summary>
    public string? FirstReason
    {
        get { lock (gate) return first?.Message; }
    }

    /// <summary>The problem was refused before: its other samples would be too.</summary>
    public string? ReasonOf(string problem)
    {
        lock (gate) return reasons.GetValueOrDefault(problem);
    }

    /// <summary>A completion of an earlier run: the endpoint has taken such a request.</summary>
    public void CountKnown()
    {
        lock (gate)
        {
            isAccepted = true;
            answered++;
        }
    }

    /// <returns>Traces that were held back and count now.</returns>
    /// <exception cref="RemoteTeacherException">Most requests are refused.</exception>
    public IReadOnlyList<HeldTrace> CountAnswer()
    {
        lock (gate)
        {
            isAccepted = true;
            answered++;
            return Note(refused: false);
        }
    }

    /// <summary>Holds a refused question's trace back.</summary>
    /// <param name="fault">Why; null for a further sample of a question that was refused before.</param>
    /// <inheritdoc cref="CountAnswer"/>
    public IReadOnlyList<HeldTrace> Reject(HeldTrace trace, RemoteTeacherException? fault)
    {
        lock (gate)
        {
            held.Enqueue((trace, outcomes));
            if (fault is null || !reasons.TryAdd(trace.Item.Problem.Id, fault.Message)) return [];
            first ??= fault;
            if (!isAccepted && reasons.Count >= Math.Clamp(concurrency, 2, Window))
                throw Stop($"It refused the first {reasons.Count} questions and has answered none.");
            return Note(refused: true);
        }
    }

    /// <summary>Everything was asked.</summary>
    /// <inheritdoc cref="CountAnswer"/>
    public IReadOnlyList<HeldTrace> End()
    {
        lock (gate)
        {
            if (reasons.Count > 0 && (!isAccepted || reasons.Count > answered))
                throw Stop($"It refused {reasons.Count:N0} questions and answered {answered:N0}.");
            HeldTrace[] rest = [.. held.Select(each => each.Trace)];
            held.Clear();
            return rest;
        }
    }

    private List<HeldTrace> Note(bool refused)
    {
        outcomes++;
        recent.Enqueue(refused);
        if (recent.Count > Window) recent.Dequeue();
        int bad = recent.Count(each => each);
        if (recent.Count == Window && bad > Window / 2)
            throw Stop($"It refused {bad} of the last {Window} questions.");
        var settled = new List<HeldTrace>();
        while (held.TryPeek(out var oldest) && outcomes - oldest.Since > Window) settled.Add(held.Dequeue().Trace);
        return settled;
    }

    private RemoteTeacherException Stop(string why) => new(first!.Kind, $"{first.Message} {why}", first) { Status = first.Status };
}
