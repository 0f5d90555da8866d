using System.Runtime.ExceptionServices;

namespace Distill.Generation;

/// <summary>
/// Prompts → completions by continuous batching: whenever a row finishes, its slot takes the next request or seed, so slots stay
/// busy however unequal the lengths are. Every completion draws from its own seed's random stream, so results depend neither on
/// order nor on batch composition nor on the number of slots (as far as the backend's logits do not).
/// Runs may follow each other but not overlap. The model stays the caller's.
/// </summary>
public sealed class BatchGenerator
{
    private readonly ITokenModel model;
    private readonly int slots;
    private readonly int workers;

    /// <param name="slots">Rows decoded together, over all workers. It does not change what is generated.</param>
    /// <param name="workers">
    /// Threads that each decode their share of the slots in a session of their own. More than 1 pays for small models whose
    /// backend runs single-threaded; large ones are better served by a threaded backend. A model on a card is run by the caller's thread
    /// alone. It does not change what is generated.
    /// </param>
    public BatchGenerator(ITokenModel model, int slots = 64, int workers = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        (this.model, this.slots) = (model, slots);
        this.workers = model is IDeviceTokenModel { IsForOneThread: true } ? 1 : workers;
    }

    public ITokenModel Model => model;

    /// <summary>Completes every request and gives the completions by index: [request][seed].</summary>
    /// <inheritdoc cref="Run"/>
    public IReadOnlyList<Completion[]> Complete(
        IReadOnlyList<GenerationRequest> requests, Action<GenerationProgress>? progress = null, CancellationToken cancellation = default)
    {
        var completions = requests.Select(request => new Completion[request.Seeds.Count]).ToArray();
        Run(requests, (request, seed, completion) => completions[request][seed] = completion, progress, cancellation);
        return completions;
    }

    /// <param name="completed">(request index, seed index, completion), in the order in which they end; one call at a time.</param>
    /// <param name="progress">Called after every step, one call at a time; the last call carries the totals.</param>
    /// <returns>The totals.</returns>
    /// <exception cref="ArgumentException">A request that cannot be served, named by its index; nothing has run.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, also within a step; completions already handed over stand.</exception>
    public GenerationProgress Run(
        IReadOnlyList<GenerationRequest> requests,
        Action<int, int, Completion> completed,
        Action<GenerationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        int capacity = CapacityFor(requests);
        var queue = new RequestQueue(requests, completed, progress, Math.Min(workers, slots));
        if (queue.Total == 0) return queue.Progress;

        int used = queue.Workers;
        try
        {
            if (used == 1) RunWorker(0, 1, capacity, queue, cancellation);
            else Parallel.For(0, used, new ParallelOptions { MaxDegreeOfParallelism = used },
                worker => RunWorker(worker, used, capacity, queue, cancellation));
        }
        catch (AggregateException several)
        {
            ExceptionDispatchInfo.Throw(
                several.InnerExceptions.FirstOrDefault(e => e is not OperationCanceledException) ?? several.InnerExceptions[0]);
        }

        return queue.Progress;
    }

    private void RunWorker(int worker, int of, int capacity, RequestQueue queue, CancellationToken cancellation)
    {
        int share = (slots / of) + (worker < slots % of ? 1 : 0);
        using var session = model.Open(Math.Min(share, queue.Total), capacity);
        using var registration = cancellation.Register(session.Cancel); // unregistered, and waited for, before the session is disposed
        try
        {
            new GenerationBatch(session, model.VocabularySize, model.MaxLength, queue).Run(cancellation);
        }
        catch
        {
            queue.Close(); // the other workers end after their running rows' next step instead of draining the queue
            throw;
        }
    }

    /// <summary>Cache length that the longest request can reach.</summary>
    private int CapacityFor(IReadOnlyList<GenerationRequest> requests)
    {
        long longest = 2;
        for (int i = 0; i < requests.Count; i++)
        {
            try
            {
                requests[i].Validate(model.VocabularySize, model.MaxLength);
            }
            catch (ArgumentException e)
            {
                throw new ArgumentException($"Request {i}: {e.Message}", nameof(requests), e);
            }

            longest = Math.Max(longest, (long)requests[i].Prompt.Count + requests[i].MaxNewTokens);
        }

        return (int)Math.Min(longest, model.MaxLength);
    }
}
