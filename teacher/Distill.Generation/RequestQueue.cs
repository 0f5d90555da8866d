namespace Distill.Generation;

/// <summary>The work of one run, shared by its workers: hands out requests in order, gathers completions and progress.</summary>
internal sealed class RequestQueue(
    IReadOnlyList<GenerationRequest> requests, Action<int, int, Completion> completed, Action<GenerationProgress>? progress) : IRequestSource
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
