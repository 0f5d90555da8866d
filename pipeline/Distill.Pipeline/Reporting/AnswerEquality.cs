namespace Distill.Pipeline.Reporting;

/// <summary>Greedy answers of the exported file against those of the trained model.</summary>
/// <param name="Equal">Whether all of them are identical.</param>
/// <param name="Problems">Problems that both answered.</param>
/// <param name="IdenticalAnswers">Those of them with identical answers.</param>
public sealed record AnswerEquality(bool Equal, int Problems, int IdenticalAnswers);
