using Distill.Data.Problems;
using Distill.Generation;

namespace Distill.Evaluation.Strategies;

/// <summary>
/// Vote of several samples over classes of equal answers (Wang et al., arXiv 2203.11171). A problem draws no more once the vote is
/// decided, so the tokens spent are those that the vote needs.
/// </summary>
internal sealed class SelfConsistency : IStrategy
{
    public string Name => "self-consistency";

    public string Description => "the most frequent of several sampled answers, drawing no more once the vote is decided";

    public IReadOnlyList<string> Levels(StrategyOptions options) => SampleLevels.Names(options.Budget);

    public IReadOnlyList<StrategyAnswer[]> Solve(Reasoner reasoner, IReadOnlyList<Problem> problems, StrategyOptions options)
    {
        Ballot[] ballots = [.. problems.Select(problem => new Ballot(problem, reasoner))];

        // Fewer votes than this decide nothing, so these share one reading of the prompt; then one by one where still open.
        int drawn = (options.Budget / 2) + 1;
        Draw(ballots, 0, drawn);
        for (; drawn < options.Budget; drawn++) Draw([.. ballots.Where(ballot => !ballot.IsDecided(options.Budget))], drawn, 1);
        return [.. ballots.Select(ballot => SampleLevels.Of(options.Budget).Select(ballot.AnswerOf).ToArray())];

        void Draw(Ballot[] open, int first, int count)
        {
            var completions = reasoner.Complete([.. open.Select(ballot => reasoner.Request(
                reasoner.PromptOf(ballot.Problem), options.MaxNewTokens, options.Sampling,
                Enumerable.Range(first, count).Select(sample => Reasoner.SeedOf(ballot.Problem, sample, options))))]);
            for (int i = 0; i < open.Length; i++) open[i].Samples.AddRange(completions[i]);
        }
    }

    /// <summary>A problem's samples, in the order of their seeds.</summary>
    private sealed class Ballot(Problem problem, Reasoner reasoner)
    {
        public Problem Problem => problem;

        public List<Completion> Samples { get; } = [];

        public bool IsDecided(int budget) => Count(budget).IsDecided(budget - Samples.Count);

        /// <summary>What a vote of at most this many samples says, and the tokens it needed until it was decided.</summary>
        public StrategyAnswer AnswerOf(int budget)
        {
            Vote vote = Count(budget);
            return new StrategyAnswer(vote.Winner, Samples.Take(vote.Cast).Sum(sample => (long)sample.Tokens.Count));
        }

        private Vote Count(int budget)
        {
            var vote = new Vote();
            foreach (var sample in Samples.Take(budget))
            {
                string? answer = reasoner.AnswerOf(sample);
                vote.Add(reasoner.ClassOf(answer, problem), answer, sample.LogProbabilities.Average());
                if (vote.IsDecided(budget - vote.Cast)) break;
            }

            return vote;
        }
    }
}

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
    public string? Winner =>
        classes.Count == 0 ? null : classes.Values.MaxBy(entry => (entry.Votes, entry.LogProbability / entry.Votes)).Answer;

    /// <summary>Whether no <paramref name="more"/> votes can change the winner, a tie included.</summary>
    public bool IsDecided(int more)
    {
        int[] votes = [.. classes.Values.Select(entry => entry.Votes).OrderDescending().Take(2)];
        return votes.Length > 0 && votes[0] - (votes.Length > 1 ? votes[1] : 0) > more;
    }
}

/// <summary>Numbers of samples at which a curve has points: 1, 2, 4, … and the budget itself.</summary>
internal static class SampleLevels
{
    public static IReadOnlyList<int> Of(int budget)
    {
        var levels = new List<int>();
        for (int level = 1; level < budget; level *= 2) levels.Add(level);
        return [.. levels, budget];
    }

    public static IReadOnlyList<string> Names(int budget) => [.. Of(budget).Select(level => level == 1 ? "1 sample" : $"{level} samples")];
}
