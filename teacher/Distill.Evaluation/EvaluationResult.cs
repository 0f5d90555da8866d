using Distill.Generation;

namespace Distill.Evaluation;

/// <summary>Every problem's result and what follows from them.</summary>
/// <param name="Problems">In the order of the problems given.</param>
/// <param name="Twins">In the order of the twins given; greedy only.</param>
public sealed record EvaluationResult(
    EvaluationReport Report, IReadOnlyList<ProblemResult> Problems, IReadOnlyList<ProblemResult> Twins, GenerationProgress Totals);
