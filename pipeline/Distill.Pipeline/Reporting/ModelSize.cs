namespace Distill.Pipeline.Reporting;

/// <param name="Model">As in <see cref="Distill.Evaluation.EvaluationReport.Model"/>.</param>
/// <param name="Bytes">Of its weights on disk.</param>
public sealed record ModelSize(string Model, long Parameters, long Bytes);
