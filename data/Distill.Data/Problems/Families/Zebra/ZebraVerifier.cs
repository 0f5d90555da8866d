using Distill.Data.Verification;
using Distill.Verification;

namespace Distill.Data.Problems.Families.Zebra;

/// <summary>
/// Accepts the one full assignment, houses and things in any order (<c>2 ben dog , 1 cat anna</c>, <c>house 1 : anna has the cat …</c>),
/// or <c>contradiction</c> where that is the reference.
/// </summary>
internal sealed class ZebraVerifier : IVerifier
{
    public const string Contradiction = "contradiction";

    private static readonly char[] Separators = [',', ';', '.'];

    private static readonly HashSet<string> Idle =
        ["house", "lives", "in", "has", "the", "a", "and", "with", "owner", "drinker", "is", "drinks", "owns", "who"];

    public string Name => "zebra";

    public int Version => 1 + AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ClassOf(answer, problem) is not { } given)
            return Verdict.Undecidable;
        return given == Sorted(problem.ReferenceAnswer, problem) ? Verdict.Correct : Verdict.Incorrect;
    }

    /// <summary>Things sorted within their house and houses sorted; the words must be those of the question.</summary>
    public string? ClassOf(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        return AnswerText.Understood(answer, text => Sorted(text, problem));
    }

    private static string? Sorted(string text, IVerifiable problem)
    {
        if (text == Contradiction)
            return text;
        if (Groups(text.Replace(':', ' ')) is not { } groups)
            return null;
        var known = problem.Text.Split(' ').ToHashSet(StringComparer.Ordinal);
        return groups.All(group => group.All(known.Contains))
            ? string.Join(", ", groups.Select(group => string.Join(' ', group.Order(StringComparer.Ordinal))).Order(StringComparer.Ordinal))
            : null;
    }

    /// <returns>Per house its number and at least one thing; null when the text is no such list.</returns>
    private static List<string[]>? Groups(string text)
    {
        List<string[]> groups = [.. text.Split(Separators).Select(Words).Where(group => group.Length > 0)];
        if (!groups.TrueForAll(IsHouse))
        {
            // Separators stand elsewhere: each number then begins a house.
            var words = Words(string.Join(' ', text.Split(Separators)));
            var starts = Enumerable.Range(0, words.Length).Where(i => IsNumber(words[i])).ToArray();
            if (starts.Length == 0 || starts[0] != 0)
                return null;
            groups = [.. starts.Zip([.. starts.Skip(1), words.Length], (start, end) => words[start..end])];
        }

        return groups.Count > 1 && groups.TrueForAll(IsHouse) ? groups : null;
    }

    private static string[] Words(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(word => !Idle.Contains(word))];

    private static bool IsHouse(string[] group) =>
        group.Length > 1 && group.Count(IsNumber) == 1 && group.All(word => IsNumber(word) || word.All(char.IsAsciiLetterLower));

    private static bool IsNumber(string word) => word is ['1' or '2' or '3' or '4'];
}
