namespace Distill.Evaluation.Strategies;

/// <summary>Every strategy. A new one is a class and a line here.</summary>
public static class StrategyList
{
    public static IReadOnlyList<IStrategy> All { get; } =
        [new SelfConsistency(), BestOfN.ByLogProbability, BestOfN.ByVerifier, new BudgetForcing(), new SelfRefinement()];
}
