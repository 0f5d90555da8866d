using Distill.Data.Verification;
using Distill.Verification;

namespace Distill.Data.Problems.Families.Syllogisms;

/// <summary>
/// Accepts <c>yes</c>, <c>no</c>, <c>nothing</c>, <c>contradiction</c> or a categorical statement, whichever is the reference;
/// "no a are b" and "no b are a" are one answer, and so are "some a are b" and "some b are a".
/// </summary>
internal sealed class SyllogismsVerifier : IVerifier
{
    public const string Yes = "yes", No = "no", Nothing = "nothing", Contradiction = "contradiction";

    public string Name => "syllogisms";

    public int Version => 1 + AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ClassOf(answer, problem) is not { } given)
            return Verdict.Undecidable;
        return given == Read(problem.ReferenceAnswer) ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) => AnswerText.Understood(answer, Read);

    private static string? Read(string text) => text is Yes or No or Nothing or Contradiction ? text : Statement(text);

    private static string? Statement(string text)
    {
        var words = text.Split(' ');
        return words switch
        {
            ["all", var first, "are", var second] when AreGroups(first, second) => $"all {first} are {second}",
            ["some", var first, "are", "not", var second] when AreGroups(first, second) => $"some {first} are not {second}",
            ["no" or "some", var first, "are", var second] when AreGroups(first, second) => string.CompareOrdinal(first, second) < 0
                ? $"{words[0]} {first} are {second}"
                : $"{words[0]} {second} are {first}",
            _ => null,
        };
    }

    private static bool AreGroups(string first, string second) =>
        first.All(char.IsAsciiLetterLower) && second.All(char.IsAsciiLetterLower) && first != second && second != "not";
}
