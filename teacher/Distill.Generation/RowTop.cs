using System.Runtime.InteropServices;

namespace Distill.Generation;

/// <summary>The alternatives beside each token of one completion.</summary>
internal sealed class RowTop(int count)
{
    private readonly List<int> ids = [];
    private readonly List<float> raw = [];
    private readonly List<float> processed = [];

    public void Add(ReadOnlySpan<float> logits, int? greedyChoice, Sampler sampler)
    {
        int start = ids.Count;
        CollectionsMarshal.SetCount(ids, start + count);
        CollectionsMarshal.SetCount(raw, start + count);
        CollectionsMarshal.SetCount(processed, start + count);
        sampler.CopyTop(
            logits, greedyChoice, CollectionsMarshal.AsSpan(ids)[start..], CollectionsMarshal.AsSpan(raw)[start..], CollectionsMarshal.AsSpan(processed)[start..]);
    }

    public TopLogProbabilities ToTop() => new(count, [.. ids], [.. raw], [.. processed]);
}
