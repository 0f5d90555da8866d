using Distill.Data.Problems;
using Distill.Generation;

namespace Distill.Evaluation.Strategies;

/// <summary>A way to find an answer by spending more tokens. Stateless; the reasoner runs one strategy at a time.</summary>
internal interface IStrategy
{
    /// <summary>Word on the command line and in reports.</summary>
    string Name { get; }

    /// <summary>One sentence for the help.</summary>
    string Description { get; }

    /// <summary>Points of the budget at which it reports an answer, cheapest first, e.g. "4 samples".</summary>
    IReadOnlyList<string> Levels(StrategyOptions options);

    /// <returns>[problem][level], in the order of <see cref="Levels"/>.</returns>
    /// <exception cref="InvalidDataException">The model cannot be used in this way; the message says why.</exception>
    IReadOnlyList<StrategyAnswer[]> Solve(Reasoner reasoner, IReadOnlyList<Problem> problems, StrategyOptions options);
}

/// <summary>What a strategy answers when it stops at one point of its budget, and what it had generated until then.</summary>
/// <param name="Answer">Null: none.</param>
/// <param name="Tokens">Generated tokens, those of discarded samples and drafts included.</param>
internal readonly record struct StrategyAnswer(string? Answer, long Tokens);

/// <summary>Every strategy. A new one is a class and a line here.</summary>
internal static class StrategyList
{
    public static IReadOnlyList<IStrategy> All { get; } =
        [new SelfConsistency(), BestOfN.ByLogProbability, BestOfN.ByVerifier, new BudgetForcing(), new SelfRefinement()];
}

/// <summary>What a strategy may spend; all of it decides the result.</summary>
internal sealed record StrategyOptions
{
    /// <summary>Seed of everything sampled. Default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>
    /// How far it goes: samples to vote on or to choose from, times that thinking is prolonged, or revisions. At least 1. Default 8.
    /// </summary>
    public int Budget { get; init; } = 8;

    /// <summary>Of samples; default 1. Budget forcing and revision use it too, 0 being greedy.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Longest completion; for budget forcing the cap of the thinking. Default 256.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Longest answer after the thinking was ended by force. Default 64.</summary>
    public int MaxAnswerTokens { get; init; } = 64;

    /// <summary>What makes a model think on instead of ending its thinking (s1, arXiv 2501.19393). Default " Wait".</summary>
    public string WaitText { get; init; } = " Wait";

    /// <summary>The message that asks for a revision.</summary>
    public string RevisionText { get; init; } = "Check your answer step by step, correct it where it is wrong, and give the final answer.";

    internal SamplingOptions Sampling => new() { Temperature = Temperature };

    /// <exception cref="ArgumentException">Names every impossible value at once.</exception>
    public void Validate()
    {
        var problems = new List<string>();
        if (Budget is < 1 or > 4096) problems.Add($"Budget {Budget} must be in 1..4096");
        if (!(Temperature >= 0 && double.IsFinite(Temperature))) problems.Add($"Temperature {Temperature} must be 0 or positive");
        if (MaxNewTokens < 1) problems.Add($"MaxNewTokens {MaxNewTokens} must be at least 1");
        if (MaxAnswerTokens < 1) problems.Add($"MaxAnswerTokens {MaxAnswerTokens} must be at least 1");
        if (problems.Count > 0) throw new ArgumentException("Impossible strategy options: " + string.Join("; ", problems) + ".");
    }
}
