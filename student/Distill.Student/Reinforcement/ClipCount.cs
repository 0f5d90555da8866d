namespace Distill.Student.Reinforcement;

/// <summary>How many tokens, or completions where these share a ratio, lay beyond a bound. Thread-safe.</summary>
public sealed class ClipCount
{
    private readonly Lock gate = new();
    private long low, high, all;

    /// <summary>Share, 0..1.</summary>
    public double Low => Share(low);

    /// <inheritdoc cref="Low"/>
    public double High => Share(high);

    public void Add(ReadOnlySpan<ClippedSide> sides)
    {
        lock (gate)
        {
            low += sides.Count(ClippedSide.Low);
            high += sides.Count(ClippedSide.High);
            all += sides.Length;
        }
    }

    private double Share(long count) => all == 0 ? 0 : (double)count / all;
}
