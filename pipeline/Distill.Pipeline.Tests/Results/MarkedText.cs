using System.Text.RegularExpressions;

namespace Distill.Pipeline.Tests.Results;

/// <summary>
/// Parts of a Markdown file that are made from results: blocks between <c>&lt;!-- results: name --&gt;</c> and
/// <c>&lt;!-- end results --&gt;</c>, and single numbers between <c>&lt;!-- n: path --&gt;</c> and <c>&lt;!-- /n --&gt;</c>. Both marks are
/// comments, which a reader does not see.
/// </summary>
internal static partial class MarkedText
{
    /// <exception cref="InvalidOperationException">A mark has no end.</exception>
    public static string Fill(string text, Func<string, string> block, Func<string, string> number)
    {
        if (BlockStart().Count(text) != Block().Count(text) || NumberStart().Count(text) != Number().Count(text))
            throw new InvalidOperationException("A mark has no end: <!-- end results --> after a block, <!-- /n --> after a number.");
        string filled = Block().Replace(text, match => $"{match.Groups["mark"].Value}\n\n{block(match.Groups["name"].Value).Trim('\n')}\n\n"
            + "<!-- end results -->");
        return Number().Replace(filled, match => $"{match.Groups["mark"].Value}{number(match.Groups["name"].Value)}<!-- /n -->");
    }

    [GeneratedRegex(@"<!-- results: [a-z]")]
    private static partial Regex BlockStart();

    [GeneratedRegex(@"<!-- n: [a-z]")]
    private static partial Regex NumberStart();

    // Neither mark may stand between another mark and its end.
    [GeneratedRegex(
        @"(?<mark><!-- results: (?<name>[a-z][a-z0-9/_.-]*) -->)(?:(?!<!-- results: ).)*?<!-- end results -->", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"(?<mark><!-- n: (?<name>[a-z][a-z0-9/_.:-]*) -->)(?:(?!<!-- n: ).)*?<!-- /n -->", RegexOptions.Singleline)]
    private static partial Regex Number();
}
