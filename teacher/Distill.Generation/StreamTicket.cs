using System.Threading.Channels;

namespace Distill.Generation;

/// <summary>A request whose caller reads its events from a channel, which holds no more than the request may generate.</summary>
internal sealed class StreamTicket(GenerationRequest request) : RequestTicket(request)
{
    private readonly Channel<GenerationEvent> events = Channel.CreateUnbounded<GenerationEvent>(new UnboundedChannelOptions { SingleReader = true });
    private int left = request.Seeds.Count;
    private volatile bool abandoned;

    public override bool Abandoned => abandoned;

    public bool Ended => Volatile.Read(ref left) == 0;

    public ChannelReader<GenerationEvent> Events => events.Reader;

    public void Abandon() => abandoned = true;

    public override void Token(int seedIndex, in TokenChoice choice, string text) => events.Writer.TryWrite(new TokenGenerated(seedIndex, choice, text));

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
