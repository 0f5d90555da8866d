using Distill.Data.Problems;
using Distill.Evaluation.Statistics;
using Distill.Generation;

namespace Distill.Evaluation.Strategies;

/// <summary>Runs a strategy beside the greedy answer on the same problems and gives its curve.</summary>
internal static class StrategyEvaluation
{
    private const ulong BootstrapSeed = 1;

    /// <param name="model">Name in the report.</param>
    /// <param name="problems">At least one.</param>
    /// <exception cref="ArgumentException">No problem, or impossible options.</exception>
    /// <exception cref="InvalidDataException">The model cannot be used in this way.</exception>
    public static StrategyReport Run(
        string model, IStrategy strategy, Reasoner reasoner, IReadOnlyList<Problem> problems, StrategyOptions options)
    {
        if (problems.Count == 0) throw new ArgumentException("There is no problem to evaluate.", nameof(problems));
        options.Validate();
        IReadOnlyList<StrategyAnswer[]> solved = strategy.Solve(reasoner, problems, options);
        StrategyAnswer[] greedy = Greedy(reasoner, problems, options);
        double[] baseline = Shares(reasoner, problems, greedy);
        var levels = new List<StrategyLevel> { Level("greedy", greedy, baseline, null) };
        var names = strategy.Levels(options);
        for (int level = 0; level < names.Count; level++)
        {
            StrategyAnswer[] answers = [.. solved.Select(perLevel => perLevel[level])];
            double[] shares = Shares(reasoner, problems, answers);
            levels.Add(Level(names[level], answers, shares, PairedBootstrap.Run(baseline, shares, BootstrapSeed)));
        }

        return new StrategyReport(model, strategy.Name, problems.Count, levels, reasoner.Totals);
    }

    private static StrategyAnswer[] Greedy(Reasoner reasoner, IReadOnlyList<Problem> problems, StrategyOptions options)
    {
        var completions = reasoner.Complete(
            [.. problems
                .Select(problem => reasoner.Request(reasoner.PromptOf(problem), options.MaxNewTokens, SamplingOptions.Greedy, [0]))]);
        return [.. completions.Select(completion => new StrategyAnswer(reasoner.AnswerOf(completion[0]), completion[0].Tokens.Count))];
    }

    private static double[] Shares(Reasoner reasoner, IReadOnlyList<Problem> problems, StrategyAnswer[] answers) =>
        [.. problems.Select((problem, i) => reasoner.IsCorrect(answers[i].Answer, problem) ? 1.0 : 0)];

    private static StrategyLevel Level(string name, StrategyAnswer[] answers, double[] shares, PairedBootstrap? gain) => new(
        name, shares.Average(), Proportion.Wilson(shares.Sum(), shares.Length), answers.Average(answer => (double)answer.Tokens),
        gain?.Mean, gain?.Interval, gain?.P);
}

/// <summary>Accuracy against tokens spent, for one model and one strategy.</summary>
/// <param name="Levels">The greedy answer first, then the strategy's levels, cheapest first.</param>
/// <param name="Totals">What was generated in all, the greedy answers included.</param>
internal sealed record StrategyReport(
    string Model, string Strategy, int Problems, IReadOnlyList<StrategyLevel> Levels, GenerationProgress Totals);

/// <summary>One point of the curve.</summary>
/// <param name="Accuracy">Share of problems solved.</param>
/// <param name="Interval95">Wilson's interval.</param>
/// <param name="MeanTokens">Generated tokens per problem, discarded ones included.</param>
/// <param name="Gain">Accuracy less that of the greedy answer, over the same problems; null for the greedy answer itself.</param>
/// <param name="GainInterval95">Paired bootstrap over problems.</param>
/// <param name="P">Two-sided, of that bootstrap.</param>
internal sealed record StrategyLevel(
    string Name, double Accuracy, Interval Interval95, double MeanTokens, double? Gain, Interval? GainInterval95, double? P);
