using System.Text.RegularExpressions;

namespace Distill.Data.Tests.Problems.Oracles;

/// <summary>What somebody says, in the short words of traces: <c>ben knight</c>, <c>ben and cara same</c>.</summary>
internal sealed partial record KnightsStatement(string Speaker, string Claim)
{
    public IEnumerable<string> People => new[] { Speaker }.Concat(Claim.Split(' ')[..^1].Where(word => word != "and"));

    public static List<KnightsStatement> ReadAll(string text) => Sentence().Matches(text).Select(match => new KnightsStatement(
        match.Groups[1].Value,
        match.Groups[2].Value.Replace(" is a ", " ", StringComparison.Ordinal).Replace(" are the same kind", " same", StringComparison.Ordinal)
            .Replace(" are different kinds", " different", StringComparison.Ordinal).Replace(" are ", " ", StringComparison.Ordinal))).ToList();

    /// <summary>Knights say what is true, knaves what is false.</summary>
    public bool Fits(IReadOnlySet<string> knights)
    {
        var words = Claim.Split(' ');
        bool first = knights.Contains(words[0]), second = words.Length > 2 && knights.Contains(words[2]);
        var isTrue = words[^1] switch
        {
            "knight" => first,
            "knave" => !first,
            "knights" => first && second,
            "knaves" => !first && !second,
            "same" => first == second,
            "different" => first != second,
            _ => throw new InvalidDataException($"Nobody says '{Claim}'."),
        };
        return isTrue == knights.Contains(Speaker);
    }

    [GeneratedRegex(@"([a-z]+) says ([a-z ]+?) \.")]
    private static partial Regex Sentence();
}
