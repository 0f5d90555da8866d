using Distill.Evaluation.Statistics;

namespace Distill.Evaluation;

/// <summary>Greedy answers to problems and to their perturbation twins. Reasoning carries over; pattern matching does not.</summary>
/// <param name="Original">Share solved of the problems that have a twin.</param>
/// <param name="Perturbed">Share solved of their twins, every problem counting once.</param>
/// <param name="Problems">Problems that have a twin.</param>
/// <param name="Twins">Twins of them, of all kinds.</param>
public sealed record TwinReport(
    double Original,
    double Perturbed,
    Interval OriginalInterval95,
    Interval PerturbedInterval95,
    int Problems,
    int Twins,
    IReadOnlyList<TwinKindReport> ByKind);
