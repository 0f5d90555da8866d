using System.Globalization;
using Distill.Data.Verification;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Data.Problems.Families.Consistency;

/// <summary>
/// Accepts every minimal contradicting set of statements by their numbers, exactly these, and <c>consistent</c> exactly where there is
/// none. Reads the statements from the question and tries every way of coming, so the reference answer is never needed.
/// </summary>
internal sealed class ConsistencyVerifier : IVerifier
{
    public const string Consistent = "consistent";

    public string Name => "consistency";

    public int Version => 1 + AnswerExtraction.Version;

    /// <exception cref="ArgumentException">The problem's text holds no statements that can be read.</exception>
    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        var (statements, people) = AssertionText.Read(problem.Text)
            ?? throw new ArgumentException($"A problem has no numbered statements: {Printable.Quote(problem.Text)}.", nameof(problem));
        if (AnswerText.Understood(answer, Read) is not { } numbers)
            return Verdict.Undecidable;
        var right = numbers.Count == 0
            ? !Satisfiability.IsContradiction(statements, people)
            : numbers[^1] <= statements.Count
                && Satisfiability.IsMinimalContradiction([.. numbers.Select(number => statements[number - 1])], people);
        return right ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) => AnswerText.Understood(answer, Read) is { } numbers
        ? numbers.Count == 0 ? Consistent : string.Join(", ", numbers)
        : null;

    public string? FaultOf(IVerifiable problem) => AssertionText.Read(problem.Text) is null
        ? "the question holds no numbered statements that can be read"
        : Verify(problem.ReferenceAnswer, problem) == Verdict.Correct ? null : "the reference is no minimal contradicting set";

    /// <returns>Different numbers from 1 in order, none for <c>consistent</c>; null when the answer is neither.</returns>
    private static List<int>? Read(string text)
    {
        if (text == Consistent)
            return [];
        var numbers = new SortedSet<int>();
        var words = text.Split([' ', ',', ';', '(', ')', '{', '}'], StringSplitOptions.RemoveEmptyEntries)
            .Where(word => word is not ("and" or "statement" or "statements")).ToArray();
        foreach (var word in words)
        {
            var isNumber = word.All(char.IsAsciiDigit) && word.Length <= 3;
            if (!isNumber || int.Parse(word, NumberStyles.None, CultureInfo.InvariantCulture) is not (> 0 and var number)
                || !numbers.Add(number))
                return null;
        }

        return numbers.Count == 0 ? null : [.. numbers];
    }
}
