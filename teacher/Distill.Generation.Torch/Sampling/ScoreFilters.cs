using Distill.Libtorch;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Generation.Torch.Sampling;

/// <summary>
/// Bias, penalties, temperature and truncating filters over rows of scores, [rows, width] fp32, each row by its own options;
/// removed tokens become −∞. The definitions are those of <see cref="DistributionFilters"/>. All change the scores in place.
/// </summary>
internal static class ScoreFilters
{
    private static readonly Scalar Removed = float.NegativeInfinity.ToScalar(), Zero = 0.0.ToScalar(), One = 1L.ToScalar();

    private static readonly Scalar BelowAll = (-1.0).ToScalar(), Yes = true.ToScalar();

    /// <summary>What comes before the filters: bias, then the repetition penalty, then what counts subtract, then temperature.</summary>
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
                .add_((found / penalties.Values).masked_fill_(negative, Zero), One);
            flat.scatter_(0, penalties.Places, changed);
        }

        if (queries.Discounts is { } discounts) flat.scatter_add_(0, discounts.Places, discounts.Values);
        if (queries.AnyTemperature) scores.div_(queries.Temperature.to(ScalarType.Float32));
    }

    /// <summary>Top-k, then top-p, then min-p.</summary>
    /// <param name="largest">[rows, 1] fp32: each row's largest score, which no filter removes.</param>
    /// <param name="candidates">As many of the best tokens are looked at for top-p; see the result.</param>
    /// <returns>
    /// [rows, 1], true where a row keeps all candidates, so that there may be more to keep; null when no row can be such a one.
    /// </returns>
    public static Tensor? Truncate(Tensor scores, QueryTensors queries, Tensor largest, int candidates)
    {
        if (queries.LargestTopK > 0) KeepTopK(scores, queries);
        Tensor? unsure = queries.AnyTopP ? KeepTopP(scores, queries.TopP, largest, candidates) : null;
        if (queries.AnyMinP) RemoveBelow(scores, largest.to(ScalarType.Float64).add(queries.MinP.log(), One).to(ScalarType.Float32));
        return unsure;
    }

    // Rows that keep all have a k beyond the largest; their threshold is −∞.
    private static void KeepTopK(Tensor scores, QueryTensors queries)
    {
        var largestK = KeptScalar.Full([1, 1], queries.LargestTopK, ScalarType.Float64, scores.device);
        var place = minimum(queries.TopK, largestK).to(ScalarType.Int64) - One;
        var least = scores.topk(queries.LargestTopK, 1, largest: true, sorted: true).values.gather(1, place);
        RemoveBelow(scores, least.masked_fill(queries.TopK.gt(largestK), Removed));
    }

    /// <summary>
    /// Removes the tail whose probability is at most 1 − p; of equal probabilities the lowest ids stay longest. The best tokens' weights in
    /// order, without their ids, tell the least weight that stays and how many tokens of that weight do.
    /// </summary>
    private static Tensor? KeepTopP(Tensor scores, Tensor p, Tensor largest, int candidates)
    {
        bool all = candidates >= scores.shape[1];
        var weights = (scores - largest).exp_();
        var best = all ? weights.sort(1, descending: true).Values : weights.topk(candidates, 1, largest: true, sorted: true).values;
        var total = weights.sum(1, keepdim: true, ScalarType.Float64);
        var wide = best.to(ScalarType.Float64);
        var tail = total - (wide.cumsum(1) - wide); // of a token and all after it
        var kept = tail.gt(p.neg().add_(One, One) * total);
        kept.narrow(1, 0, 1).fill_(Yes); // the best token always stays
        var count = kept.sum(1, keepdim: true, ScalarType.Int64);
        var least = best.gather(1, count - One);
        var equals = count - best.gt(least).sum(1, keepdim: true, ScalarType.Int64);
        var everything = p.gt(One);
        least = least.masked_fill(everything, BelowAll);
        var equal = weights.eq(least);
        var late = equal.bitwise_and(equal.cumsum(1, ScalarType.Int64).gt(equals));
        scores.masked_fill_(weights.lt(least).bitwise_or(late), Removed);
        return all ? null : kept.narrow(1, candidates - 1, 1).bitwise_and(everything.bitwise_not());
    }

    private static void RemoveBelow(Tensor scores, Tensor least) => scores.masked_fill_(scores.lt(least), Removed);
}
