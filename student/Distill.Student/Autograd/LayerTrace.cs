namespace Distill.Student.Autograd;

/// <summary>What attention of one bucket took in and gave, with the graph between.</summary>
/// <param name="Keys">[segments · key-value heads, 1, time, size], likewise the values.</param>
/// <param name="Prompt">Keys and values of a shared prompt, [key-value heads, 1, time, size]; null where there is none.</param>
internal sealed record AttentionCall(Tensor Queries, Tensor Keys, Tensor Values, (Tensor Keys, Tensor Values)? Prompt, Tensor Output)
{
    /// <summary>What the graph leads back to.</summary>
    public IReadOnlyList<Tensor> Leaves => Prompt is { } prompt ? [Queries, Keys, Values, prompt.Keys, prompt.Values]
        : [Queries, Keys, Values];
}

/// <summary>
/// What one layer keeps for the way back, out of reach of the scope that it was made in. Dispose it: no scope does.
/// One thread.
/// </summary>
internal sealed class LayerTrace : IDisposable
{
    private readonly List<Tensor> kept = [];
    private readonly Dictionary<string, (Tensor, Tensor)> heads = [];
    private readonly List<AttentionCall> calls = [];

    /// <summary>The residual stream before attention, r of its norm, and its norm.</summary>
    public (Tensor X, Tensor Inverse, Tensor Normed) Attention { get; private set; }

    /// <summary>Likewise before the feed-forward, and gate, up and their product.</summary>
    public (Tensor X, Tensor Inverse, Tensor Normed, Tensor Gated, Tensor Raised, Tensor Activated) FeedForward { get; private set; }

    /// <summary>Bucket by bucket.</summary>
    public IReadOnlyList<AttentionCall> Calls => calls;

    /// <summary>What entered the norm of queries or keys, [rows · heads, size], and its r.</summary>
    public (Tensor X, Tensor Inverse) Heads(string letter) => heads[letter];

    /// <param name="x">Stays the caller's, who keeps it as long.</param>
    public void KeepAttention(Tensor x, Tensor inverse, Tensor normed) => Attention = (x, Kept(inverse), Kept(normed));

    public void KeepHeads(string letter, Tensor x, Tensor inverse) => heads[letter] = (Kept(x), Kept(inverse));

    public void Keep(AttentionCall call)
    {
        foreach (var tensor in call.Leaves.Append(call.Output)) Kept(tensor);
        calls.Add(call);
    }

    public void KeepFeedForward(Tensor x, Tensor inverse, Tensor normed, Tensor gated, Tensor raised, Tensor activated) =>
        FeedForward = (Kept(x), Kept(inverse), Kept(normed), Kept(gated), Kept(raised), Kept(activated));

    public void Dispose()
    {
        foreach (var tensor in kept) tensor.Dispose();
    }

    // A tensor that is kept twice is disposed twice, which does nothing.
    private Tensor Kept(Tensor tensor)
    {
        kept.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }
}
