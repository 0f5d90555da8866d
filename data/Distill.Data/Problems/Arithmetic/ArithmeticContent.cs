namespace Distill.Data.Problems.Arithmetic;

/// <param name="Phrasing">The question with <c>{0}</c> for the expression.</param>
internal sealed record ArithmeticContent(Expression Expression, string Phrasing, Surroundings Surroundings);
