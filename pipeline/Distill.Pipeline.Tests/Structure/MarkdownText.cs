using System.Text.RegularExpressions;

namespace Distill.Pipeline.Tests.Structure;

/// <summary>A Markdown file of the repository: its code, its links and its headings.</summary>
internal sealed partial class MarkdownText
{
    private readonly string[] lines;
    private readonly bool[] isCode;

    private MarkdownText(string text)
    {
        lines = text.ReplaceLineEndings("\n").Split('\n');
        isCode = new bool[lines.Length];
        bool fenced = false;
        for (int i = 0; i < lines.Length; i++)
        {
            bool fence = lines[i].TrimStart().StartsWith("```", StringComparison.Ordinal);
            // Indented code begins after an empty line; the second line of a list's item is no code.
            bool indented = lines[i].StartsWith("    ", StringComparison.Ordinal)
                && (i == 0 || isCode[i - 1] || lines[i - 1].Trim().Length == 0);
            isCode[i] = !fence && (fenced || indented);
            if (fence) fenced = !fenced;
        }
    }

    /// <param name="path">From the root of the repository.</param>
    public static MarkdownText Read(string path) => new(File.ReadAllText(Path.Combine(RepositoryFolder.Root, path)));

    /// <summary>What stands between backticks in the running text.</summary>
    public IEnumerable<string> CodeSpans() =>
        Span().Matches(string.Join('\n', lines.Where((_, i) => !isCode[i]))).Select(match => match.Groups["code"].Value);

    /// <summary>The lines of all code blocks, without their indentation.</summary>
    public IEnumerable<string> CodeLines() => lines.Where((_, i) => isCode[i]).Select(line => line.Trim());

    /// <summary>Blocks of code, without what all their lines are indented by, and the number of the line at which each begins.</summary>
    public IEnumerable<(int Line, string Text)> CodeBlocks()
    {
        for (int start = 0; start < lines.Length; start++)
        {
            if (!isCode[start]) continue;
            int end = start;
            while (end < lines.Length && isCode[end]) end++;
            int margin = lines[start..end].Where(line => line.Trim().Length > 0).Min(line => line.Length - line.TrimStart().Length);
            yield return (start + 1, string.Join('\n', lines[start..end].Select(line => line[Math.Min(margin, line.Length)..])));
            start = end;
        }
    }

    /// <summary>Targets of links that do not leave the repository.</summary>
    public IEnumerable<string> Links() => Link().Matches(string.Join('\n', lines.Where((_, i) => !isCode[i])))
        .Select(match => match.Groups["target"].Value).Where(target => !target.Contains("://", StringComparison.Ordinal));

    /// <summary>Names that GitHub gives the headings.</summary>
    public IEnumerable<string> Anchors() => lines.Where((line, i) => !isCode[i] && line.StartsWith('#'))
        .Select(line => Unnamed().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"(?<!`)`(?<code>[^`]+)`(?!`)")]
    private static partial Regex Span();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex Unnamed();
}
