namespace Distill.Student.Reinforcement;

/// <summary>What the tokens' losses of a step are divided by.</summary>
public enum PolicyAggregation
{
    /// <summary>By the learned tokens of the whole step: every token counts the same (DAPO, Yu et al. 2025, arXiv 2503.14476).</summary>
    Token,

    /// <summary>
    /// By the length of their completion, then by the completions: every completion counts the same (GRPO, Shao et al. 2024, arXiv
    /// 2402.03300).
    /// </summary>
    Sequence,

    /// <summary>
    /// By completions × token limit: a constant, so that length changes no weight (Dr. GRPO, Liu et al. 2025, arXiv 2503.20783).
    /// </summary>
    TokenLimit,

    /// <summary>
    /// By the completions alone: every completion counts as many times as it has tokens (LUSPO, Liu et al. 2026, arXiv 2602.05261).
    /// </summary>
    SequenceSum,
}

/// <summary>What the ratio of new and old policy is taken of.</summary>
public enum RatioLevel
{
    /// <summary>Each token's own.</summary>
    Token,

    /// <summary>The whole completion's, as the geometric mean over its tokens (GSPO, Zheng et al. 2025, arXiv 2507.18071).</summary>
    Sequence,

    /// <summary>
    /// The whole completion's, as the product over its tokens: the true ratio, whose spread grows with length (RLOO, Ahmadian et al. 2024,
    /// arXiv 2402.14740).
    /// </summary>
    Product,
}

/// <summary>The divisors of one optimiser step. Immutable.</summary>
/// <param name="Tokens">Learned tokens of the step.</param>
/// <param name="Completions">Of the step, those that are not learned from included: masking one must not raise the others' weight.</param>
/// <param name="TokenLimit">Longest completion allowed.</param>
internal sealed record PolicyDivisor(PolicyAggregation Aggregation, long Tokens, int Completions, int TokenLimit)
{
    /// <param name="length">Tokens of the completion.</param>
    public double For(int length) => Aggregation switch
    {
        PolicyAggregation.Token => Tokens,
        PolicyAggregation.Sequence => (double)length * Completions,
        PolicyAggregation.TokenLimit => (double)TokenLimit * Completions,
        PolicyAggregation.SequenceSum => Completions,
        _ => throw new InvalidOperationException($"Unknown aggregation {Aggregation}."),
    };
}
