using System.Runtime.CompilerServices;

namespace Distill.Generation;

/// <summary>
/// A <see cref="BatchGenerator"/> that stays open: any number of callers stream completions from one model, and share its running batch. A
/// request joins as soon as a slot is free; one whose caller goes away leaves before the next step. Completions are those of the
/// generator. Owns its threads and sessions, not the model: dispose it before the model. Thread-safe.
/// </summary>
public sealed class GenerationEngine : IDisposable
{
    private readonly ITokenModel model;
    private readonly EngineQueue queue;
    private readonly IDecodeSession[] sessions;
    private readonly Thread[] workers;
    private readonly CancellationTokenSource disposing = new();
    private int disposed;

    /// <exception cref="ArgumentException">Impossible options, or a cache larger than the model's options allow.</exception>
    public GenerationEngine(ITokenModel model, EngineOptions? options = null)
    {
        options ??= new EngineOptions();
        options.Validate(model.MaxLength);
        this.model = model;
        MaxLength = options.MaxLength ?? model.MaxLength;
        queue = new EngineQueue(options.MaxWaiting, options.Workers);
        sessions = OpenSessions(options);
        workers = [.. sessions.Select((session, index) => new Thread(() => Work(session, options.PromptTokensPerStep))
        {
            Name = $"generation {index}", IsBackground = true,
        })];
        foreach (var worker in workers) worker.Start();
    }

    public ITokenModel Model => model;

    /// <summary>Longest sequence that it serves, prompt and completion together.</summary>
    public int MaxLength { get; }

    /// <summary>Requests waiting for a slot, and requests being served.</summary>
    public (int Waiting, int Running) Load => queue.Load;

    /// <summary>Why every request ends at once, after the model failed or the engine was disposed; else null.</summary>
    internal Exception? Fault => queue.Fault;

    /// <summary>What has been done since the start.</summary>
    public GenerationProgress Progress => queue.Progress;

    /// <summary>
    /// Gives every token as it is generated and every completion as it ends; those of several seeds come interleaved. The request is queued
    /// by the call, not by the first reading; leaving the loop or cancelling drops it.
    /// </summary>
    /// <exception cref="ArgumentException">The request cannot be served.</exception>
    /// <exception cref="EngineBusyException">Too many requests wait already.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed before the request ended.</exception>
    /// <exception cref="NotSupportedException">The request wants its prompt scored and the graph gives the last position only.</exception>
    /// <exception cref="InvalidDataException">
    /// The model's logits are not finite for this request; or it cannot run at all, and every request ends so.
    /// </exception>
    public IAsyncEnumerable<GenerationEvent> Stream(GenerationRequest request, CancellationToken cancellation = default)
    {
        request.Validate(model.VocabularySize, MaxLength);
        var ticket = new StreamTicket(request);
        if (request.Seeds.Count == 0) return AsyncEnumerable.Empty<GenerationEvent>();
        queue.Add(ticket);
        return Read(ticket, cancellation);
    }

    /// <summary>All completions of a request, by seed.</summary>
    /// <inheritdoc cref="Stream"/>
    public async Task<Completion[]> CompleteAsync(GenerationRequest request, CancellationToken cancellation = default)
    {
        var completions = new Completion[request.Seeds.Count];
        await foreach (var happened in Stream(request, cancellation).ConfigureAwait(false))
        {
            if (happened is CompletionEnded ended) completions[ended.SeedIndex] = ended.Completion;
        }

        return completions;
    }

    /// <summary>Ends every request with <see cref="ObjectDisposedException"/> and waits for the threads.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        queue.Close(new ObjectDisposedException(nameof(GenerationEngine)));
        disposing.Cancel();
        foreach (var session in sessions) session.Cancel();
        foreach (var worker in workers) worker.Join();
        foreach (var session in sessions) session.Dispose();
        disposing.Dispose();
    }

    private static async IAsyncEnumerable<GenerationEvent> Read(
        StreamTicket ticket, [EnumeratorCancellation] CancellationToken cancellation)
    {
        try
        {
            await foreach (var happened in ticket.Events.ReadAllAsync(cancellation).ConfigureAwait(false)) yield return happened;
        }
        finally
        {
            ticket.Abandon();
        }
    }

    private IDecodeSession[] OpenSessions(EngineOptions options)
    {
        var opened = new List<IDecodeSession>();
        try
        {
            for (int worker = 0; worker < options.Workers; worker++)
                opened.Add(model.Open((options.Slots / options.Workers) + (worker < options.Slots % options.Workers ? 1 : 0), MaxLength));
            return [.. opened];
        }
        catch
        {
            foreach (var session in opened) session.Dispose();
            throw;
        }
    }

    private void Work(IDecodeSession session, int promptTokensPerStep)
    {
        var batch = new GenerationBatch(session, model.VocabularySize, MaxLength, queue, promptTokensPerStep);
        try
        {
            while (queue.Wait()) batch.Run(disposing.Token);
        }
        catch (OperationCanceledException) when (disposing.IsCancellationRequested)
        {
            // Dispose has told every caller already.
        }
        catch (Exception fault) // whatever it is, the callers must hear of it: nobody else sees this thread
        {
            queue.Close(fault);
        }
    }
}
