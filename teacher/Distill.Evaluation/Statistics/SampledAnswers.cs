namespace Distill.Evaluation.Statistics;

/// <summary>Chance that at least one of k samples is right, estimated from n ≥ k samples of which c were (arXiv 2107.03374).</summary>
internal static class PassAtK
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

/// <summary>The most frequent answer; null does not vote.</summary>
internal static class MajorityVote
{
    /// <summary>The answers with the most votes, in order of appearance; empty when nobody voted.</summary>
    public static IReadOnlyList<string> Winners(IEnumerable<string?> answers)
    {
        var votes = answers.OfType<string>().GroupBy(answer => answer, StringComparer.Ordinal)
            .Select(group => (group.Key, Count: group.Count())).ToList();
        int most = votes.Select(vote => vote.Count).DefaultIfEmpty().Max();
        return [.. votes.Where(vote => vote.Count == most).Select(vote => vote.Key)];
    }

    /// <summary>Chance that the vote is right when a tie is drawn by lot.</summary>
    public static double ExpectedCorrect(IEnumerable<string?> answers, Func<string, bool> isCorrect)
    {
        var winners = Winners(answers);
        return winners.Count == 0 ? 0 : (double)winners.Count(isCorrect) / winners.Count;
    }
}
