namespace Distill.Generation;

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
    /// Its logits are not finite, or it asks for scores that the graph does not give. True when that ends this request alone; false ends
    /// the run.
    /// </summary>
    public virtual bool TakesFault(Exception fault) => false;

    public abstract void Complete(int seedIndex, Completion completion);
}
