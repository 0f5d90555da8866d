using System.Text.RegularExpressions;

namespace Distill.Tokenization.Patterns;

/// <summary>A literal or a regular expression from a tokenizer file, matched over code points. Immutable and thread-safe.</summary>
internal sealed class TextPattern
{
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromSeconds(5);

    private readonly string? _literal;
    private readonly Regex? _regex;

    private TextPattern(string? literal, Regex? regex) => (_literal, _regex) = (literal, regex);

    public static TextPattern Literal(string text) => new(text, null);

    /// <summary>
    /// Compiled without backtracking where that can express the pattern, so that matching takes time in proportion to the text; otherwise
    /// every match has a time limit.
    /// </summary>
    /// <exception cref="InvalidDataException">The pattern cannot be compiled, or would mean something else here than in its own
    /// dialect.</exception>
    public static TextPattern Expression(string pattern)
    {
        PatternDialect.Check(pattern);
        try
        {
            return new TextPattern(null, Compile(pattern));
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"pattern '{pattern}' cannot be compiled: {e.Message}", e);
        }
    }

    /// <summary>Matches within [start, end), in order and without overlap, as if there were no text around it.</summary>
    /// <exception cref="InvalidDataException">The pattern takes too long on this text.</exception>
    public List<TextRange> Matches(string text, int start, int end) =>
        _literal is { } literal ? Literals(text, start, end, literal) : Expressions(text, start, end);

    private List<TextRange> Expressions(string text, int start, int end)
    {
        var matches = new List<TextRange>();
        var view = CodePointView.Of(text.AsSpan(start, end - start));
        try
        {
            foreach (var match in _regex!.EnumerateMatches(view.Characters(text.AsSpan(start, end - start))))
                matches.Add(new TextRange(start + view.Position(match.Index), start + view.Position(match.Index + match.Length)));
        }
        catch (RegexMatchTimeoutException e)
        {
            string reason = $"takes longer than {s_timeLimit.TotalSeconds} s on a text of {end - start} characters";
            throw new InvalidDataException($"pattern '{_regex}' {reason}", e);
        }
        return matches;
    }

    private static List<TextRange> Literals(string text, int start, int end, string literal)
    {
        var matches = new List<TextRange>();
        if (literal.Length == 0) return matches;
        for (int at = start; at < end; at = matches[^1].End)
        {
            int found = text.AsSpan(at, end - at).IndexOf(literal, StringComparison.Ordinal);
            if (found < 0) break;
            matches.Add(new TextRange(at + found, at + found + literal.Length));
        }
        return matches;
    }

    private static Regex Compile(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, s_timeLimit);
        }
        catch (NotSupportedException)
        {
            // Look-around, as in \s+(?!\S).
            return new Regex(pattern, RegexOptions.CultureInvariant, s_timeLimit);
        }
    }
}
