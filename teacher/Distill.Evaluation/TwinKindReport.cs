using Distill.Evaluation.Statistics;

namespace Distill.Evaluation;

/// <summary>One kind of twin against its originals, pair by pair.</summary>
/// <param name="Kind"><c>renamed</c>, <c>irrelevant</c> or <c>unsatisfiable</c>.</param>
/// <param name="Pairs">Problems with a twin of this kind.</param>
/// <param name="OnlyOriginal">Pairs of which only the original is solved.</param>
/// <param name="OnlyPerturbed">Pairs of which only the twin is solved.</param>
/// <param name="McNemarP">Exact p of the two shares being equal.</param>
public sealed record TwinKindReport(
    string Kind, int Pairs, double Original, double Perturbed, Interval PerturbedInterval95, int OnlyOriginal, int OnlyPerturbed, double McNemarP);
