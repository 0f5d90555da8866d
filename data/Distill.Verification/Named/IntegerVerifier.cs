namespace Distill.Verification.Named;

/// <summary>Accepts one whole number, with or without thousands separators.</summary>
internal sealed class IntegerVerifier : IVerifier
{
    public string Name => "integer";

    public int Version => AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ClassOf(answer, problem) is not { } given || ClassOf(problem.ReferenceAnswer, problem) is not { } gold) return Verdict.Undecidable;
        return given == gold ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) => AnswerText.Of(answer) is { } text ? PlainNumber.Canonical(text, whole: true) : null;

    public string? FaultOf(IVerifiable problem) =>
        ClassOf(problem.ReferenceAnswer, problem) is null ? "the reference answer is not a whole number" : null;
}
