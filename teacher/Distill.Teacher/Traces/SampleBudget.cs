namespace Distill.Teacher;

/// <summary>
/// What the completions of a data set may take together. A part has its share by its problems, so that parts made anywhere in any order
/// keep within the whole. Immutable.
/// </summary>
/// <param name="Tokens">Completion tokens; null: no limit.</param>
/// <param name="Cost">In the currency of the prices; null: no limit.</param>
internal sealed record SampleBudget(long? Tokens, decimal? Cost)
{
    public static SampleBudget None { get; } = new(null, null);

    public bool IsLimited => Tokens is not null || Cost is not null;

    /// <summary>The share of the problems [first, end) of all.</summary>
    public SampleBudget Share(int first, int end, int all) => new(
        Tokens is { } tokens ? (long)((Int128)tokens * end / all) - (long)((Int128)tokens * first / all) : null,
        Cost is { } cost ? cost * (end - first) / all : null);
}

/// <summary>
/// A part's budget while it is spent: what a completion may take at most is held back before it is begun, so that the budget is never
/// exceeded. One thread at a time.
/// </summary>
internal sealed class SampleSpending(SampleBudget budget, int worstTokens, decimal worstCost = 0)
{
    private long tokens;
    private decimal cost;
    private int begun;

    /// <summary>Completions that may be begun now.</summary>
    public int Room
    {
        get
        {
            long byTokens = budget.Tokens is { } most ? (most - tokens) / Math.Max(1, worstTokens) - begun : int.MaxValue;
            decimal byCost = budget.Cost is { } highest && worstCost > 0 ? (highest - cost) / worstCost - begun : int.MaxValue;
            return (int)Math.Clamp(Math.Min(byTokens, Math.Floor(byCost)), 0, int.MaxValue);
        }
    }

    /// <summary>Whether nothing more fits, whatever becomes of what is under way.</summary>
    public bool IsSpent => Room == 0 && begun == 0;

    public void Begin(int completions) => begun += completions;

    public void End(int completionTokens, decimal completionCost = 0)
    {
        begun--;
        tokens += completionTokens;
        cost += completionCost;
    }
}
