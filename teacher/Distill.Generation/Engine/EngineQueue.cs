using System.Threading.Channels;

namespace Distill.Generation;

/// <summary>Requests of many callers, handed to the engine's workers in the order in which they came.</summary>
internal sealed class EngineQueue(int maxWaiting, int workers) : IRequestSource
{
    private readonly object gate = new();
    private readonly Queue<StreamTicket> waiting = [];
    private readonly HashSet<StreamTicket> taken = []; // until every one of their completions has ended
    private Exception? closed;
    private GenerationProgress progress;

    public bool Closed
    {
        get { lock (gate) return closed is not null; }
    }

    /// <summary>What it was closed with; null while it is open.</summary>
    public Exception? Fault
    {
        get { lock (gate) return closed; }
    }

    public int Share
    {
        get { lock (gate) return waiting.Count / workers; }
    }

    public GenerationProgress Progress
    {
        get { lock (gate) return progress; }
    }

    public (int Waiting, int Running) Load
    {
        get
        {
            lock (gate)
            {
                Forget();
                return (waiting.Count, taken.Count);
            }
        }
    }

    /// <exception cref="EngineBusyException">Too many wait already.</exception>
    public void Add(StreamTicket ticket)
    {
        lock (gate)
        {
            if (closed is not null) throw closed;
            if (waiting.Count >= maxWaiting) Forget();
            if (waiting.Count >= maxWaiting) throw new EngineBusyException(waiting.Count);
            waiting.Enqueue(ticket);
            progress += new GenerationProgress { Total = ticket.Request.Seeds.Count };
            Monitor.Pulse(gate);
        }
    }

    public RequestTicket? Take()
    {
        lock (gate)
        {
            while (waiting.TryDequeue(out var ticket))
            {
                if (ticket.Abandoned) continue;
                Forget();
                taken.Add(ticket);
                return ticket;
            }

            return null;
        }
    }

    public void Report(in GenerationProgress done)
    {
        lock (gate) progress += done;
    }

    /// <summary>Blocks until a request waits; false once the queue is closed.</summary>
    public bool Wait()
    {
        lock (gate)
        {
            while (waiting.Count == 0 && closed is null) Monitor.Wait(gate);
            return closed is null;
        }
    }

    /// <summary>Ends every request with the fault, and every later one.</summary>
    public void Close(Exception fault)
    {
        lock (gate)
        {
            closed ??= fault;
            foreach (var ticket in waiting.Concat(taken)) ticket.Fail(closed);
            waiting.Clear();
            taken.Clear();
            Monitor.PulseAll(gate);
        }
    }

    private void Forget()
    {
        taken.RemoveWhere(ticket => ticket.Ended || ticket.Abandoned);
        if (waiting.Any(ticket => ticket.Abandoned))
        {
            var kept = waiting.Where(ticket => !ticket.Abandoned).ToList();
            waiting.Clear();
            kept.ForEach(waiting.Enqueue);
        }
    }
}

/// <summary>A request whose caller reads its events from a channel, which holds no more than the request may generate.</summary>
internal sealed class StreamTicket(GenerationRequest request) : RequestTicket(request)
{
    private readonly Channel<GenerationEvent> events = Channel.CreateUnbounded<GenerationEvent>(
        new UnboundedChannelOptions { SingleReader = true });
    private int left = request.Seeds.Count;
    private volatile bool abandoned;

    public override bool Abandoned => abandoned;

    public bool Ended => Volatile.Read(ref left) == 0;

    public ChannelReader<GenerationEvent> Events => events.Reader;

    public void Abandon() => abandoned = true;

    public override void Token(int seedIndex, in TokenChoice choice, string text) =>
        events.Writer.TryWrite(new TokenGenerated(seedIndex, choice, text));

    public override void Complete(int seedIndex, Completion completion)
    {
        events.Writer.TryWrite(new CompletionEnded(seedIndex, completion));
        if (Interlocked.Decrement(ref left) == 0) events.Writer.TryComplete();
    }

    public override bool TakesFault(Exception fault)
    {
        Fail(fault);
        Abandon();
        return true;
    }

    public void Fail(Exception fault) => events.Writer.TryComplete(fault);
}
