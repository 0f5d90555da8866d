using Distill.Data.Problems;
using Distill.Generation;

namespace Distill.Evaluation.Strategies;

/// <summary>
/// Vote of several samples over classes of equal answers (Wang et al., arXiv 2203.11171). A problem draws no more once the vote is
/// decided, so the tokens spent are those that the vote needs.
/// </summary>
public sealed class SelfConsistency : IStrategy
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
