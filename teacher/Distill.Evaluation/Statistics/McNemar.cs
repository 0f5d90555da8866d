namespace Distill.Evaluation.Statistics;

/// <summary>Do two models differ on the same problems? Only problems that exactly one of them solves tell (McNemar 1947).</summary>
public static class McNemar
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
