using Distill.Data.Problems;
using Distill.Data.Problems.Countdown;

namespace Distill.Data.Verification;

/// <summary>
/// Accepts every expression that uses each given number exactly once and reaches the target, and <c>impossible</c> exactly when an
/// exhaustive search finds none. Reads numbers and target from the problem's signature.
/// </summary>
public sealed class CountdownVerifier : IVerifier
{
    public string Name => "countdown";

    public int Version => 1;

    /// <exception cref="ArgumentException">The problem's signature is not that of a countdown problem.</exception>
    public Verdict Verify(string? answer, Problem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        var (numbers, target) = CountdownSignature.Read(problem.Signature)
            ?? throw new ArgumentException($"Problem '{problem.Id}' has no countdown signature: '{problem.Signature}'.", nameof(problem));
        if (AnswerText.Read(answer) is not { } text)
            return Verdict.Undecidable;
        if (text == CountdownFamily.Impossible)
            return Reachability.Of(numbers).Contains(target) ? Verdict.Incorrect : Verdict.Correct;
        if (ExpressionReader.Read(text) is not { } expression)
            return Verdict.Undecidable;
        var right = expression.Value == target && expression.Numbers.Order().SequenceEqual(numbers.Order());
        return right ? Verdict.Correct : Verdict.Incorrect;
    }

    /// <summary>All ways to the target are one answer: the problem itself says what it asks for. The others differ by their text.</summary>
    public string? ClassOf(string? answer, Problem problem)
    {
        if (AnswerText.Read(answer) is not { } text || text == CountdownFamily.Impossible)
            return AnswerText.Read(answer);
        if (ExpressionReader.Read(text) is null)
            return null;
        return Verify(answer, problem) == Verdict.Correct ? "target" : text;
    }
}
