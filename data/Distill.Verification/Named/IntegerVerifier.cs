using Distill.Verification.Mathematics.Reading;

namespace Distill.Verification.Named;

/// <summary>
/// Accepts one whole number: with or without thousands separators, a sign of money, a unit, and zeros after the point. What has another
/// value, or must be worked out first, is no answer.
/// </summary>
internal sealed class IntegerVerifier : IVerifier
{
    public string Name => "integer";

    public int Version => AnswerExtraction.Version + 1;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ClassOf(answer, problem) is not { } given || ClassOf(problem.ReferenceAnswer, problem) is not { } gold)
            return Verdict.Undecidable;
        return given == gold ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem)
    {
        if (AnswerText.Of(answer) is not { } text) return null;
        var value = AnswerReader.Read(text) is Assignment named ? named.Value : AnswerReader.Read(text);
        return value is Quantity quantity && quantity.Unit != Unit.Percent && quantity.Value.AsLiteral() is { Value.IsInteger: true } number
            ? number.Value.ToString()
            : null;
    }

    public string? FaultOf(IVerifiable problem) =>
        ClassOf(problem.ReferenceAnswer, problem) is null ? "the reference answer is not a whole number" : null;
}
