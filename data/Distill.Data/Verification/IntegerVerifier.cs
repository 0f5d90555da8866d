using System.Globalization;
using Distill.Data.Problems;

namespace Distill.Data.Verification;

/// <summary>Accepts the reference's integer and nothing else, or the word <c>impossible</c> where that is the reference.</summary>
public sealed class IntegerVerifier : IVerifier
{
    private const string Impossible = "impossible";

    public string Name => "integer";

    public int Version => 1;

    public Verdict Verify(string? answer, Problem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (AnswerText.Read(answer) is not { } text)
            return Verdict.Undecidable;
        if (text == Impossible)
            return problem.ReferenceAnswer == Impossible ? Verdict.Correct : Verdict.Incorrect;
        if (AnswerText.ReadInteger(text) is not { } value)
            return Verdict.Undecidable;
        return value == AnswerText.ReadInteger(problem.ReferenceAnswer) ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, Problem problem) => AnswerText.Read(answer) is not { } text
        ? null
        : text == Impossible ? text : AnswerText.ReadInteger(text)?.ToString(CultureInfo.InvariantCulture);
}
