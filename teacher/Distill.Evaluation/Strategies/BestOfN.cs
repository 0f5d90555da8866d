using Distill.Data.Problems;
using Distill.Generation;

namespace Distill.Evaluation.Strategies;

/// <summary>The best of several samples, by a score. Samples without an answer are chosen last.</summary>
internal sealed class BestOfN : IStrategy
{
    private readonly Func<Reasoner, Problem, Completion, double> score;

    private BestOfN(string name, string description, Func<Reasoner, Problem, Completion, double> score) =>
        (Name, Description, this.score) = (name, description, score);

    /// <summary>Needs nothing but the model: the sample whose tokens it thought most probable on average.</summary>
    public static BestOfN ByLogProbability { get; } = new(
        "best-of-n", "of several samples the one the model thinks most probable per token",
        (_, _, sample) => sample.LogProbabilities.Average());

    /// <summary>Knows the reference answer: an upper bound for any way of choosing, and no way of answering.</summary>
    public static BestOfN ByVerifier { get; } = new(
        "best-of-n-verified", "of several samples a right one if there is any, chosen by the verifier: an upper bound",
        (reasoner, problem, sample) => reasoner.IsCorrect(reasoner.AnswerOf(sample), problem) ? 1 : 0);

    public string Name { get; }

    public string Description { get; }

    public IReadOnlyList<string> Levels(StrategyOptions options) => SampleLevels.Names(options.Budget);

    public IReadOnlyList<StrategyAnswer[]> Solve(Reasoner reasoner, IReadOnlyList<Problem> problems, StrategyOptions options)
    {
        var completions = reasoner.Complete([.. problems.Select(problem => reasoner.Request(
            reasoner.PromptOf(problem), options.MaxNewTokens, options.Sampling,
            Enumerable.Range(0, options.Budget).Select(sample => Reasoner.SeedOf(problem, sample, options))))]);
        return [.. problems
            .Select((problem, i) => SampleLevels.Of(options.Budget).Select(level => Choose(problem, completions[i][..level])).ToArray())];

        StrategyAnswer Choose(Problem problem, Completion[] samples)
        {
            var best = samples.MaxBy(sample => (reasoner.AnswerOf(sample) is not null, score(reasoner, problem, sample)))!;
            return new StrategyAnswer(reasoner.AnswerOf(best), samples.Sum(sample => (long)sample.Tokens.Count));
        }
    }
}
