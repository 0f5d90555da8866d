using System.Text.RegularExpressions;
using Distill.Data.Problems;
using Distill.Data.Tests.Problems.Oracles;

namespace Distill.Data.Tests.Problems;

/// <summary>
/// The signatures of <c>knights</c> and <c>contradiction</c> say which statements are made, not in which order or by whom: shown from the
/// words of the problems alone, by trying every way to rename the people.
/// </summary>
public sealed partial class StatementSignatureTests
{
    [Theory]
    [InlineData("knights", 1, 200)]
    [InlineData("knights", 2, 400)]
    [InlineData("contradiction", 1, 200)]
    [InlineData("contradiction", 2, 100)]
    public void Signatures_are_equal_exactly_where_renaming_and_another_order_make_the_statements_equal(string name, int level, int count)
    {
        var family = ProblemFamilies.Get(name);
        var problems = Enumerable.Range(0, count).Select(index => family.Generate(1, index, Split.Train, level)).ToList();

        var forms = problems.Select(problem => (problem.Signature, Form: Smallest(Statements(name, problem.Text)))).ToList();

        forms.Select(pair => pair.Form).Distinct().Count().ShouldBe(forms.Select(pair => pair.Signature).Distinct().Count());
        forms.Distinct().Count().ShouldBe(forms.Select(pair => pair.Form).Distinct().Count());
    }

    [Fact]
    public void What_is_said_in_another_order_falls_into_the_same_split()
    {
        var family = ProblemFamilies.Get("contradiction");
        var problems = Enumerable.Range(0, 300)
            .SelectMany(index => Enum.GetValues<Split>().Select(split => family.Generate(2, index, split, 1)));

        var splits = problems.GroupBy(problem => Smallest(Statements("contradiction", problem.Text)))
            .Select(group => group.Select(problem => problem.Split).Distinct().Count()).ToList();

        splits.ShouldAllBe(count => count == 1);
        splits.Count.ShouldBeLessThan(60, "there would be little to put into another order");
    }

    /// <summary>Each statement as words; names are lower-case words in angle brackets.</summary>
    private static List<string> Statements(string family, string text) => family == "knights"
        ? [.. KnightsStatement.ReadAll(text).Select(statement => $"<{statement.Speaker}> says {Marked(statement.Claim)}")]
        : [.. Comparison().Matches(text).Select(match => $"<{match.Groups[1].Value}> {Direction(match)} <{match.Groups[3].Value}>")];

    private static string Direction(Match match) => match.Groups[2].Value is "older" or "taller" ? "above" : "below";

    // "ben and cara same" and "cara and ben same" are one claim: both are kept, the smaller is taken after renaming.
    private static string Marked(string claim) => string.Join(' ', claim.Split(' ').Select((word, i) => i is 0 or 2 ? $"<{word}>" : word)
        .Select((word, i) => i == 2 && !claim.Contains(" and ", StringComparison.Ordinal) ? word.Trim('<', '>') : word));

    private static string Smallest(List<string> statements)
    {
        var people = statements.SelectMany(statement => Name().Matches(statement).Select(match => match.Value)).Distinct().ToArray();
        return Permutations(people.Length)
            .Select(order => statements.Select(statement => Renamed(statement, people, order)).Order(StringComparer.Ordinal))
            .Select(renamed => string.Join(" | ", renamed)).Min(StringComparer.Ordinal)!;
    }

    private static string Renamed(string statement, string[] people, int[] order)
    {
        var renamed = Name().Replace(statement, match => $"{(char)('a' + order[Array.IndexOf(people, match.Value)])}");
        return Pair().Replace(renamed, match => string.CompareOrdinal(match.Groups[1].Value, match.Groups[2].Value) <= 0
            ? match.Value
            : $"{match.Groups[2].Value} and {match.Groups[1].Value}");
    }

    private static IEnumerable<int[]> Permutations(int count) => count == 0
        ? [[]]
        : Permutations(count - 1).SelectMany(shorter => Enumerable.Range(0, count).Select(at => shorter[..at].Append(count - 1)
            .Concat(shorter[at..]).ToArray()));

    [GeneratedRegex("<[a-z]+>")]
    private static partial Regex Name();

    [GeneratedRegex(@"\b([a-z]) and ([a-z])\b")]
    private static partial Regex Pair();

    [GeneratedRegex("([a-z]+) is (older|younger|taller|shorter) than ([a-z]+) [.]")]
    private static partial Regex Comparison();
}
