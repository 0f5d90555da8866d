namespace Distill.Generation;

/// <summary>Where a batch takes its work and says what it did. Shared by the workers, so thread-safe.</summary>
internal interface IRequestSource
{
    /// <summary>True when no more work shall be done: another worker failed or the owner is being disposed.</summary>
    bool Closed { get; }

    /// <summary>
    /// How many of the requests that wait now one worker may take beyond the one that it reads: its share of them, so that looking ahead
    /// leaves nobody without work.
    /// </summary>
    int Share { get; }

    /// <summary>The next request that asks for any completion; null when none waits now.</summary>
    RequestTicket? Take();

    void Report(in GenerationProgress done);
}

/// <summary>A request on its way through a batch, and whom it is for. Called by one worker at a time.</summary>
internal abstract class RequestTicket(GenerationRequest request)
{
    public GenerationRequest Request => request;

    /// <summary>Nobody waits for it any more: its rows are dropped before the next step.</summary>
    public virtual bool Abandoned => false;

    /// <param name="text">What may be shown now; empty unless the request asks for text.</param>
    public virtual void Token(int seedIndex, in TokenChoice choice, string text)
    {
    }

    /// <summary>
    /// Its logits are not finite, its constraint failed, or it asks for scores that the graph does not give. True when that ends this
    /// request alone; false ends the run.
    /// </summary>
    public virtual bool TakesFault(Exception fault) => false;

    public abstract void Complete(int seedIndex, Completion completion);
}

/// <summary>The work of one run, shared by its workers: hands out requests in order, gathers completions and progress.</summary>
internal sealed class RequestQueue(
    IReadOnlyList<GenerationRequest> requests, Action<int, int, Completion> completed,
    Action<GenerationProgress>? progress, int mostWorkers) : IRequestSource
{
    private readonly Lock gate = new();
    private GenerationProgress total = new() { Total = requests.Sum(request => request.Seeds.Count) };
    private int next;
    private bool closed;

    public int Total => total.Total;

    /// <summary>A worker without a slot, or without a completion to make, would only cost memory.</summary>
    public int Workers { get; } = Math.Min(mostWorkers, requests.Sum(request => request.Seeds.Count));

    public int Share
    {
        get { lock (gate) return (requests.Count - next) / Workers; }
    }

    public GenerationProgress Progress
    {
        get { lock (gate) return total; }
    }

    public bool Closed
    {
        get { lock (gate) return closed; }
    }

    public RequestTicket? Take()
    {
        lock (gate)
        {
            while (!closed && next < requests.Count)
            {
                int index = next++;
                if (requests[index].Seeds.Count > 0) return new Ticket(this, index, requests[index]);
            }

            return null;
        }
    }

    public void Report(in GenerationProgress done)
    {
        lock (gate)
        {
            total += done;
            progress?.Invoke(total);
        }
    }

    public void Close()
    {
        lock (gate) closed = true;
    }

    private void Complete(int request, int seed, Completion completion)
    {
        lock (gate)
        {
            total += new GenerationProgress { Completions = 1 };
            completed(request, seed, completion);
        }
    }

    private sealed class Ticket(RequestQueue queue, int index, GenerationRequest request) : RequestTicket(request)
    {
        public override void Complete(int seedIndex, Completion completion) => queue.Complete(index, seedIndex, completion);
    }
}
