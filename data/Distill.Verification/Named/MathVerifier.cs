namespace Distill.Verification.Named;

/// <summary>Compares mathematical values.</summary>
internal sealed class MathVerifier : IVerifier
{
    public string Name => "math";

    public int Version => AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ClassOf(answer, problem) is not { } given || ClassOf(problem.ReferenceAnswer, problem) is not { } gold) return Verdict.Undecidable;
        return given == gold ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) => AnswerText.Of(answer) is { } text
        ? PlainNumber.Canonical(text, whole: false) ?? (text.Length < 100 ? AnswerText.Folded(text) : null)
        : null;

    public string? FaultOf(IVerifiable problem) => ClassOf(problem.ReferenceAnswer, problem) is null ? "the reference answer cannot be read" : null;
}
