namespace Distill.Evaluation.Statistics;

/// <summary>The most frequent answer; null does not vote.</summary>
public static class MajorityVote
{
    /// <summary>The answers with the most votes, in order of appearance; empty when nobody voted.</summary>
    public static IReadOnlyList<string> Winners(IEnumerable<string?> answers)
    {
        var votes = answers.OfType<string>().GroupBy(answer => answer, StringComparer.Ordinal).Select(group => (group.Key, Count: group.Count())).ToList();
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
