namespace Distill.Verification.Named;

/// <summary>
/// Accepts the reference answer's own text. Case, the number and kind of blanks, closing punctuation, bold, dollars and commands such
/// as <c>\text{…}</c> do not matter; everything else does.
/// </summary>
internal sealed class ExactVerifier : IVerifier
{
    public string Name => "exact";

    public int Version => AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ClassOf(answer, problem) is not { } given) return Verdict.Undecidable;
        return given == ClassOf(problem.ReferenceAnswer, problem) ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) =>
        AnswerText.Of(answer) is { } text && AnswerText.Folded(text) is { Length: > 0 } folded ? folded : null;

    public string? FaultOf(IVerifiable problem) =>
        ClassOf(problem.ReferenceAnswer, problem) is null ? "the reference answer is empty or longer than an answer may be" : null;
}
