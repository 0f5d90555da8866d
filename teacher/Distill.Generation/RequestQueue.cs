namespace Distill.Generation;

/// <summary>The work of one run, shared by its workers: hands out requests in order, gathers completions and progress.</summary>
internal sealed class RequestQueue(
    IReadOnlyList<GenerationRequest> requests, Action<int, int, Completion> completed, Action<GenerationProgress>? progress)
{
    private readonly Lock gate = new();
    private GenerationProgress total = new() { Total = requests.Sum(request => request.Seeds.Count) };
    private int next;
    private bool closed;

    public int Total => total.Total;

    public GenerationProgress Progress
    {
        get { lock (gate) return total; }
    }

    /// <summary>True once a worker failed: the others stop too.</summary>
    public bool Closed
    {
        get { lock (gate) return closed; }
    }

    /// <summary>Next request that asks for any completion; −1 when there is none left.</summary>
    public int Take(out GenerationRequest? request)
    {
        lock (gate)
        {
            while (!closed && next < requests.Count)
            {
                int index = next++;
                request = requests[index];
                if (request.Seeds.Count > 0) return index;
            }

            request = null;
            return -1;
        }
    }

    public void Complete(int request, int seed, Completion completion)
    {
        lock (gate)
        {
            total += new GenerationProgress { Completions = 1 };
            completed(request, seed, completion);
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
}
