namespace Distill.Evaluation.Strategies;

/// <summary>
/// A vote over answer classes in the making. The class with most votes wins, of equal ones the one whose samples the model thought
/// more probable on average.
/// </summary>
internal sealed class Vote
{
    private readonly Dictionary<string, (int Votes, double LogProbability, string Answer)> classes = new(StringComparer.Ordinal);

    /// <summary>Samples that took part, those without an answer included.</summary>
    public int Cast { get; private set; }

    /// <param name="answerClass">Null: no answer, no vote.</param>
    /// <param name="meanLogProbability">Per token.</param>
    public void Add(string? answerClass, string? answer, double meanLogProbability)
    {
        Cast++;
        if (answerClass is null) return;
        var before = classes.GetValueOrDefault(answerClass, (0, 0, answer!));
        classes[answerClass] = (before.Votes + 1, before.LogProbability + meanLogProbability, before.Answer);
    }

    /// <summary>The first answer of the winning class; null when nobody voted.</summary>
    public string? Winner => classes.Count == 0 ? null : classes.Values.MaxBy(entry => (entry.Votes, entry.LogProbability / entry.Votes)).Answer;

    /// <summary>Whether no <paramref name="more"/> votes can change the winner, a tie included.</summary>
    public bool IsDecided(int more)
    {
        int[] votes = [.. classes.Values.Select(entry => entry.Votes).OrderDescending().Take(2)];
        return votes.Length > 0 && votes[0] - (votes.Length > 1 ? votes[1] : 0) > more;
    }
}
