using System.Text.RegularExpressions;

namespace Distill.Data.Problems.Twins;

/// <summary>A text in English prose, and where its last sentence begins; what is not surely that is nothing here.</summary>
/// <param name="Opening">All before the question; empty when the question is all there is.</param>
/// <param name="Question">The last sentence.</param>
internal sealed partial record Prose(string Opening, string Question)
{
    private const int MaxLength = 4000;

    /// <returns>Null when the text is not plain English that ends with a question or a request.</returns>
    public static Prose? Read(string text)
    {
        if (text.Length > MaxLength || text != text.Trim() || NotProse().IsMatch(text)
            || text.Any(unit => unit > 0x2FF && char.IsLetter(unit)))
            return null;
        if (CommonWords().Matches(text).Select(match => match.Value.ToLowerInvariant()).Distinct().Count() < 3)
            return null;
        var start = LastSentence(text);
        var (opening, question) = (text[..start], text[start..]);
        var asks = question.EndsWith('?') || (Request().IsMatch(question) && question.EndsWith('.'));
        return asks && question.Count(unit => unit == '?') < 2 && !opening.Contains('?', StringComparison.Ordinal)
            ? new Prose(opening, question)
            : null;
    }

    /// <summary>Words of the text in lower case.</summary>
    public static HashSet<string> Words(string text) =>
        [.. Word().Matches(text).Select(match => match.Value.ToLowerInvariant())];

    /// <summary>Where the last sentence begins: after a sentence's end that is no abbreviation.</summary>
    private static int LastSentence(string text)
    {
        var starts = Boundary().Matches(text).Where(match => !Abbreviation().IsMatch(text[..(match.Index + 1)])).ToList();
        return starts.Count == 0 ? 0 : starts[^1].Index + starts[^1].Length;
    }

    // LaTeX, code, markup, tables and options of a multiple-choice question.
    [GeneratedRegex(@"[\\{}|<>]|\$[^$\n]*[a-zA-Z^_=][^$\n]*\$|\n|^\s*[A-E][).:]\s|\([A-E]\)", RegexOptions.Multiline)]
    private static partial Regex NotProse();

    [GeneratedRegex(
        @"\b(?:the|a|an|of|is|are|how|many|much|what|in|and|to|for|he|she|has|have|each|if|does|did)\b", RegexOptions.IgnoreCase)]
    private static partial Regex CommonWords();

    [GeneratedRegex(@"[.!?][""'”’)]*\s+(?=[""'“‘(]?[A-Z0-9$])")]
    private static partial Regex Boundary();

    [GeneratedRegex(
        @"(?:\b(?:Mr|Mrs|Ms|Dr|St|Mt|Jr|Sr|No|vs|etc|approx|Inc|Co|Ltd|oz|lb|lbs|ft|in|hr|hrs|min|mins|Prof|[A-Z]|"
        + @"a\.m|p\.m|e\.g|i\.e|U\.S))\.$")]
    private static partial Regex Abbreviation();

    [GeneratedRegex("^(?:Find|Calculate|Compute|Determine|Tell|Give|What|How|Express|Work out)\\b")]
    private static partial Regex Request();

    [GeneratedRegex("[A-Za-z]+")]
    private static partial Regex Word();
}
