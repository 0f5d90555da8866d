using Distill.Generation;

namespace Distill.Evaluation.Statistics;

/// <summary>Mean difference b − a over the same problems, with a percentile interval over resampled problems (Efron 1979).</summary>
/// <param name="P">Two-sided, 2·min((1 + #{d ≤ 0}) / (1 + R), (1 + #{d ≥ 0}) / (1 + R)), at most 1.</param>
public sealed record PairedBootstrap(double Mean, Interval Interval, double StandardError, double P)
{
    /// <summary>Draws the resamples from a seed.</summary>
    public static PairedBootstrap Run(
        IReadOnlyList<double> a, IReadOnlyList<double> b, ulong seed, int resamples = 10_000, double level = 0.95)
    {
        var random = new RandomStream(seed);
        var indices = new int[resamples][];
        for (int r = 0; r < resamples; r++)
        {
            indices[r] = new int[a.Count];
            for (int i = 0; i < a.Count; i++) indices[r][i] = (int)(random.NextDouble() * a.Count);
        }

        return Run(a, b, indices, level);
    }

    /// <param name="indices">[resample][n]: the problems of each resample.</param>
    public static PairedBootstrap Run(IReadOnlyList<double> a, IReadOnlyList<double> b, IReadOnlyList<int[]> indices, double level = 0.95)
    {
        if (a.Count != b.Count || a.Count == 0)
            throw new ArgumentException($"Paired values need equal, positive counts, not {a.Count} and {b.Count}.");
        double[] differences = [.. a.Zip(b, (x, y) => y - x)];
        double[] means = [.. indices.Select(sample => sample.Sum(i => differences[i]) / sample.Length)];
        double average = means.Average(), r = means.Length;
        double error = r > 1 ? Math.Sqrt(means.Sum(mean => (mean - average) * (mean - average)) / (r - 1)) : 0;
        double p = Math.Min(1, 2 * Math.Min((1 + means.Count(d => d <= 0)) / (1 + r), (1 + means.Count(d => d >= 0)) / (1 + r)));
        Array.Sort(means);
        return new PairedBootstrap(
            differences.Average(), new Interval(Quantile(means, (1 - level) / 2), Quantile(means, (1 + level) / 2)), error, p);
    }

    /// <summary>Linear interpolation between order statistics, numpy's default.</summary>
    internal static double Quantile(double[] sorted, double share)
    {
        double place = share * (sorted.Length - 1);
        int below = (int)Math.Floor(place);
        int above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }
}

/// <summary>Do two models differ on the same problems? Only problems that exactly one of them solves tell (McNemar 1947).</summary>
internal static class McNemar
{
    /// <summary>Exact two-sided p: binomial with share ½, at most 1; 1 without discordant pairs.</summary>
    public static double ExactP(int onlyA, int onlyB) => Math.Min(1, 2 * LowerTail(onlyA, onlyB));

    private static double LowerTail(int onlyA, int onlyB)
    {
        int n = onlyA + onlyB;
        double tail = 0;
        for (int k = 0; k <= Math.Min(onlyA, onlyB); k++) tail += Probability(n, k);
        return tail;
    }

    /// <summary>C(n, k) / 2ⁿ, summed in logarithms so that it holds for thousands of problems.</summary>
    private static double Probability(int n, int k)
    {
        double log = -n * Math.Log(2);
        for (int i = 1; i <= k; i++) log += Math.Log((double)(n - k + i) / i);
        return Math.Exp(log);
    }
}
