using Distill.Libtorch;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Generation.Torch.Sampling;

/// <summary>
/// Logits → chosen tokens, alternatives and scores, all rows in one pass on the device where the logits are. Nothing is read back here:
/// results are small tables of float64, which holds ids, fp32 and float64 numbers exactly. To be called within a dispose scope.
/// </summary>
internal static class TokenKernels
{
    /// <summary>Columns of what <see cref="Choose"/> gives, before the alternatives.</summary>
    public const int ChoiceColumns = 6;

    /// <summary>Columns of what <see cref="Score"/> gives, before the alternatives.</summary>
    public const int ScoreColumns = 2;

    private static readonly Scalar Zero = 0.0.ToScalar(), Half = 0.5.ToScalar(), One = 1.0.ToScalar();

    private static readonly Scalar BelowAll = (-1e39).ToScalar(), Removed = double.NegativeInfinity.ToScalar();

    private static readonly Scalar FirstId = 1L.ToScalar(), IdStep = Math.ScaleB(1, -47).ToScalar();

    private static readonly Scalar Least = Math.ScaleB(1, -126).ToScalar();

    /// <param name="logits">[rows, vocab] of a floating-point type; unchanged.</param>
    /// <param name="queries">One per row.</param>
    /// <param name="exhaustive">
    /// Looks at all tokens where a top-p filter mostly needs a few: for the rare rows that a first call was not sure of.
    /// </param>
    /// <returns>
    /// [rows, 6 + 3 × top]: 1 for a row whose answer is not sure, a number that is finite where both distributions are, token, its raw and
    /// its processed log-probability, kept mass; then ids, raw and processed log-probabilities of the alternatives.
    /// </returns>
    public static Tensor Choose(Tensor logits, ReadOnlySpan<TokenQuery> queries, bool exhaustive = false)
    {
        int vocabulary = (int)logits.shape[1];
        var rows = Widen(logits);
        var asked = new QueryTensors(queries, (int)rows.shape[1], vocabulary, logits.device);
        var raw = new Distribution(rows);
        var (scores, processed, kept, unsure) =
            asked.Shapes ? Process(rows, asked, exhaustive) : (rows, raw, ones_like(raw.Total), zeros_like(raw.Total));
        var token = Token(scores, processed, asked);
        var rawChosen = At(rows, token, raw);
        var chosen = At(scores, token, processed);
        if (asked.AnyGreedy)
        {
            // A greedy row keeps one token, and leaves no choice.
            var greedy = asked.Greedy.gt(Zero);
            kept = Either(greedy, chosen.exp(), kept);
            chosen = chosen.masked_fill(greedy, Zero);
        }

        // Half the sum is not finite when either of them is not.
        var middle = raw.Largest.to(ScalarType.Float64).add(processed.Largest.to(ScalarType.Float64), One).mul_(Half);
        List<Tensor> columns = [unsure, middle, token.to(ScalarType.Float64), rawChosen, chosen, kept];
        if (asked.Top > 0) columns.AddRange(Alternatives(rows.narrow(1, 0, vocabulary), raw, scores, processed, token, asked));
        return cat(columns, 1);
    }

    /// <param name="logits">[positions, vocab] of a floating-point type; unchanged.</param>
    /// <param name="following">[positions] int64: the token after each.</param>
    /// <param name="top">Alternatives to name.</param>
    /// <returns>
    /// [positions, 2 + 2 × top]: largest logit, log-probability of what follows; then ids of the alternatives and theirs.
    /// </returns>
    public static Tensor Score(Tensor logits, Tensor following, int top)
    {
        var rows = Widen(logits);
        var raw = new Distribution(rows);
        List<Tensor> columns = [raw.Largest.to(ScalarType.Float64), At(rows, following.unsqueeze(1), raw)];
        if (top > 0)
        {
            var ids = MostProbable(rows.narrow(1, 0, logits.shape[1]), top);
            columns.AddRange([ids.to(ScalarType.Float64), At(rows, ids, raw)]);
        }

        return cat(columns, 1);
    }

    /// <summary>
    /// Ids of the largest scores, largest first, ties to the lower id. topk leaves the order of ties open, so it gets keys without any: in
    /// float64 there is room for the id below the last digit of an fp32 value.
    /// </summary>
    /// <param name="scores">[rows, vocab] fp32; at most a million tokens.</param>
    internal static Tensor MostProbable(Tensor scores, int count)
    {
        var wide = scores.to(ScalarType.Float64).clamp_min(BelowAll); // minus infinity has no room for ids
        var ids = KeptScalar.Range(scores.shape[1], ScalarType.Float64, scores.device).add_(FirstId, One);
        var room = maximum(wide, wide.neg()).add_(Least, One).mul_(IdStep); // of an id; a zero has some, too
        return (wide - (room * ids)).topk(count, 1, largest: true, sorted: true).indexes;
    }

    /// <summary>
    /// fp32 rows whose width is a multiple of a block, filled up with −∞; the logits themselves where they are so already.
    /// </summary>
    private static Tensor Widen(Tensor logits)
    {
        long vocabulary = logits.shape[1], width = (vocabulary + Distribution.Block - 1) / Distribution.Block * Distribution.Block;
        if (width == vocabulary) return logits.to(ScalarType.Float32);
        var rows = KeptScalar.Full([logits.shape[0], width], float.NegativeInfinity, ScalarType.Float32, logits.device);
        rows.narrow(1, 0, vocabulary).copy_(logits);
        return rows;
    }

    /// <summary>
    /// Scores after bias, penalty, temperature and filters; the probability that the filters left, [rows, 1]; and which rows are not sure.
    /// </summary>
    private static (Tensor Scores, Distribution Processed, Tensor Kept, Tensor Unsure) Process(
        Tensor rows, QueryTensors asked, bool exhaustive)
    {
        var scores = rows.clone();
        ScoreFilters.Shape(scores, asked);
        var before = new Distribution(scores);
        var sure = zeros_like(before.Total);
        if (!asked.Truncates) return (scores, before, ones_like(before.Total), sure);
        int width = (int)scores.shape[1];
        var unsure = ScoreFilters.Truncate(scores, asked, before.Largest, exhaustive ? width : Math.Min(width, asked.LikelyCandidates));
        var processed = new Distribution(scores);
        var kept = (processed.LogNormalizer - before.LogNormalizer).exp_().clamp_max_(One);
        return (scores, processed, kept, unsure?.to(ScalarType.Float64) ?? sure);
    }

    private static Tensor Token(Tensor scores, Distribution processed, QueryTensors asked)
    {
        if (!asked.AnySampled) return scores.argmax(1, keepdim: true); // the first of several
        var picked = processed.Pick(asked.Uniform);
        return asked.AnyGreedy ? Either(asked.Greedy.gt(Zero), scores.argmax(1, keepdim: true), picked) : picked;
    }

    private static Tensor[] Alternatives(
        Tensor logits, Distribution raw, Tensor scores, Distribution processed, Tensor token, QueryTensors asked)
    {
        var ids = MostProbable(logits, asked.Top);
        var after = At(scores, ids, processed);
        if (asked.AnyGreedy)
        {
            // Only the chosen token was possible.
            var greedy = asked.Greedy.gt(Zero);
            var chosen = ids.eq(token);
            after = after.masked_fill(greedy.bitwise_and(chosen), Zero).masked_fill_(greedy.bitwise_and(chosen.bitwise_not()), Removed);
        }

        return [ids.to(ScalarType.Float64), At(logits, ids, raw), after];
    }

    /// <summary>Log-probabilities at some ids, [rows, ids] float64.</summary>
    private static Tensor At(Tensor scores, Tensor ids, Distribution distribution) =>
        scores.gather(1, ids).to(ScalarType.Float64).sub_(distribution.LogNormalizer);

    // torch.where has no kernel for meta tensors, on which the tests look for hidden copies to the host.
    private static Tensor Either(Tensor condition, Tensor yes, Tensor no) =>
        yes.masked_fill(condition.bitwise_not(), Zero).add_(no.masked_fill(condition, Zero), FirstId); // 1, of whole numbers too
}
