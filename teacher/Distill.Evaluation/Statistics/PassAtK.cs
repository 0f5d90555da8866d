namespace Distill.Evaluation.Statistics;

/// <summary>Chance that at least one of k samples is right, estimated from n ≥ k samples of which c were (arXiv 2107.03374).</summary>
public static class PassAtK
{
    /// <summary>1 − C(n−c, k) / C(n, k), as a product that cannot overflow.</summary>
    public static double Estimate(int n, int c, int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(n, k);
        ArgumentOutOfRangeException.ThrowIfNegative(c);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(c, n);
        if (k == 1) return (double)c / n;
        if (n - c < k) return 1;
        double none = 1;
        for (int i = n - c + 1; i <= n; i++) none *= 1 - ((double)k / i);
        return 1 - none;
    }
}
