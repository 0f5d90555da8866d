using Distill.Data.Problems;

namespace Distill.Data.Verification;

/// <summary>Accepts the reference's <c>yes</c> or <c>no</c>; any other text is not an answer.</summary>
public sealed class YesNoVerifier : IVerifier
{
    public string Name => "yes-no";

    public int Version => 1;

    public Verdict Verify(string? answer, Problem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        var word = AnswerText.Read(answer);
        if (word is not ("yes" or "no"))
            return Verdict.Undecidable;
        return word == problem.ReferenceAnswer ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, Problem problem) => AnswerText.Read(answer) is "yes" or "no" ? AnswerText.Read(answer) : null;
}
