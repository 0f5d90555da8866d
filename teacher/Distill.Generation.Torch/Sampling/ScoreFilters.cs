using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Generation.Torch.Sampling;

/// <summary>
/// Bias, repetition penalty, temperature and truncating filters over rows of scores, [rows, width] fp32, each row by its own options;
/// removed tokens become −∞. The definitions are those of <see cref="DistributionFilters"/>. All change the scores in place.
/// </summary>
internal static class ScoreFilters
{
    private static readonly Scalar Removed = float.NegativeInfinity.ToScalar(), Zero = 0.0.ToScalar(), One = 1L.ToScalar();

    /// <summary>What comes before the filters: bias, then penalty, then temperature.</summary>
    public static void Shape(Tensor scores, QueryTensors queries)
    {
        var flat = scores.view(-1);
        if (queries.Bias is { } bias) flat.scatter_add_(0, bias.Places, bias.Values);
        if (queries.Penalties is { } penalties)
        {
            // A token that is present twice gets the same new score twice.
            var found = flat.gather(0, penalties.Places);
            var negative = found.lt(Zero);
            var changed = (found * penalties.Values).masked_fill_(negative.bitwise_not(), Zero)
                + (found / penalties.Values).masked_fill_(negative, Zero);
            flat.scatter_(0, penalties.Places, changed);
        }

        if (queries.AnyTemperature) scores.div_(queries.Temperature.to(ScalarType.Float32));
    }

    /// <summary>Top-k, then top-p, then min-p.</summary>
    /// <param name="largest">[rows, 1] fp32: each row's largest score, which no filter removes.</param>
    public static void Truncate(Tensor scores, QueryTensors queries, Tensor largest)
    {
        if (queries.LargestTopK > 0) KeepTopK(scores, queries);
        if (queries.AnyTopP) KeepTopP(scores, queries.TopP, largest);
        if (queries.AnyMinP) RemoveBelow(scores, (largest.to(ScalarType.Float64) + queries.MinP.log()).to(ScalarType.Float32));
    }

    // Rows that keep all have a k beyond the largest; their threshold is −∞.
    private static void KeepTopK(Tensor scores, QueryTensors queries)
    {
        var largestK = full([1, 1], queries.LargestTopK, ScalarType.Float64, scores.device);
        var place = minimum(queries.TopK, largestK).to(ScalarType.Int64) - One;
        var least = scores.topk(queries.LargestTopK, 1, largest: true, sorted: true).values.gather(1, place);
        RemoveBelow(scores, least.masked_fill(queries.TopK.gt(largestK), Removed));
    }

    /// <summary>Removes the tail whose probability is at most 1 − p; of equal probabilities the lowest ids stay longest.</summary>
    private static void KeepTopP(Tensor scores, Tensor p, Tensor largest)
    {
        var (weights, ids) = (scores - largest).exp_().sort(1, descending: true, stable: true);
        var wide = weights.to(ScalarType.Float64);
        var sums = wide.cumsum(1);
        var total = sums.narrow(1, sums.shape[1] - 1, 1);
        var tail = total - (sums - wide); // of a token and all after it
        var removed = tail.le((p.neg() + One) * total); // where all are kept, p is above 1 and no tail is negative
        removed.narrow(1, 0, 1).zero_(); // the best token always stays
        scores.masked_fill_(zeros_like(removed).scatter_(1, ids, removed), Removed);
    }

    private static void RemoveBelow(Tensor scores, Tensor least) => scores.masked_fill_(scores.lt(least), Removed);
}
