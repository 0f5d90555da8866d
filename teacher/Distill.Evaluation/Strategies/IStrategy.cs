using Distill.Data.Problems;

namespace Distill.Evaluation.Strategies;

/// <summary>A way to find an answer by spending more tokens. Stateless; the reasoner runs one strategy at a time.</summary>
public interface IStrategy
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
