using Distill.Data.Problems;

namespace Distill.Data.Verification;

/// <summary>
/// Accepts exactly the reference's assignment, in any order (<c>ben knave , anna knight</c>, <c>anna is a knight and ben is a knave</c>),
/// or the word <c>contradiction</c> where that is the reference. Everybody must be named exactly once.
/// </summary>
public sealed class KnightsVerifier : IVerifier
{
    private const string Contradiction = "contradiction";

    public string Name => "knights";

    public int Version => 1;

    public Verdict Verify(string? answer, Problem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (AnswerText.Read(answer) is not { } text)
            return Verdict.Undecidable;
        if (text == Contradiction)
            return problem.ReferenceAnswer == Contradiction ? Verdict.Correct : Verdict.Incorrect;
        if (Assignment(text) is not { } given)
            return Verdict.Undecidable;
        var wanted = Assignment(problem.ReferenceAnswer);
        return wanted is not null && given.SetEquals(wanted) ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, Problem problem)
    {
        if (AnswerText.Read(answer) is not { } text || text == Contradiction)
            return AnswerText.Read(answer);
        return Assignment(text) is { } given
            ? string.Join(", ", given.OrderBy(pair => pair.Name, StringComparer.Ordinal).Select(pair => $"{pair.Name} {(pair.Knight ? "knight" : "knave")}"))
            : null;
    }

    /// <returns>(name, is a knight) pairs, or null when the text is not a list of them.</returns>
    private static HashSet<(string Name, bool Knight)>? Assignment(string text)
    {
        var words = text.Split([' ', ',', ';', '.', ':'], StringSplitOptions.RemoveEmptyEntries)
            .Where(word => word is not ("is" or "a" or "and")).ToArray();
        if (words.Length == 0 || words.Length % 2 != 0)
            return null;
        var assignment = new HashSet<(string, bool)>();
        for (var i = 0; i < words.Length; i += 2)
        {
            if (!words[i].All(char.IsAsciiLetter) || words[i] is "knight" or "knave" || words[i + 1] is not ("knight" or "knave"))
                return null;
            if (!assignment.Add((words[i], words[i + 1] == "knight")))
                return null;
        }

        return assignment;
    }
}
