using System.Buffers;
using System.Globalization;
using System.Text;

namespace Distill.Tokenization.AddedTokens;

/// <summary>Finds added tokens in a text: leftmost first, then longest. Immutable.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly Node _root = new();
    private readonly SearchValues<char> _firstCharacters;

    /// <param name="patterns">What to look for, and the token it stands for; empty patterns are never found.</param>
    public AddedTokenMatcher(IEnumerable<(string Pattern, AddedToken Token)> patterns)
    {
        foreach (var (pattern, token) in patterns.Where(p => p.Pattern.Length > 0)) Insert(pattern, token);
        _firstCharacters = SearchValues.Create(_root.Next.Keys.ToArray());
    }

    public bool IsEmpty => _root.Next.Count == 0;

    /// <summary>The text cut at its added tokens, in order; a span without a token is ordinary text. No span of text is empty.</summary>
    public IEnumerable<TokenSpan> Cut(string text)
    {
        int done = 0;
        for (int at = 0; Find(text, at) is { } match; at = match.End)
        {
            if (!Accepts(match, text)) continue;
            int start = match.Token!.LeftStrip ? Math.Max(done, StartOfSpaceBefore(text, match.Start)) : match.Start;
            int end = match.Token.RightStrip ? EndOfSpaceAfter(text, match.End) : match.End;
            if (end <= done) continue;
            if (start > done) yield return new TokenSpan(done, start, null);
            yield return new TokenSpan(Math.Max(start, done), end, match.Token);
            done = end;
        }
        if (done < text.Length) yield return new TokenSpan(done, text.Length, null);
    }

    private TokenSpan? Find(string text, int from)
    {
        for (int at = from; at < text.Length; at++)
        {
            int offset = text.AsSpan(at).IndexOfAny(_firstCharacters);
            if (offset < 0) return null;
            at += offset;
            if (Longest(text, at) is { } match) return match;
        }
        return null;
    }

    private TokenSpan? Longest(string text, int start)
    {
        TokenSpan? longest = null;
        var node = _root;
        for (int at = start; at < text.Length && node.Next.TryGetValue(text[at], out var next); at++)
        {
            node = next;
            if (node.Token is not null) longest = new TokenSpan(start, at + 1, node.Token);
        }
        return longest;
    }

    private void Insert(string pattern, AddedToken token)
    {
        var node = _root;
        foreach (char c in pattern)
        {
            if (!node.Next.TryGetValue(c, out var next)) node.Next.Add(c, next = new Node());
            node = next;
        }
        node.Token ??= token;
    }

    private static bool Accepts(TokenSpan match, string text) =>
        !match.Token!.SingleWord || (!EndsInWord(text.AsSpan(0, match.Start)) && !BeginsWithWord(text.AsSpan(match.End)));

    private static bool EndsInWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var last, out _) == OperationStatus.Done && IsWordCharacter(last);

    private static bool BeginsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var first, out _) == OperationStatus.Done && IsWordCharacter(first);

    /// <summary>\w of Unicode's regular expressions (UTS 18): letters, marks, digits, connectors and the joiners.</summary>
    private static bool IsWordCharacter(Rune rune) => rune.Value is 0x200C or 0x200D || Rune.GetUnicodeCategory(rune)
        is <= UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;

    private static int StartOfSpaceBefore(string text, int at)
    {
        while (at > 0 && char.IsWhiteSpace(text[at - 1])) at--;
        return at;
    }

    private static int EndOfSpaceAfter(string text, int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
        return at;
    }

    private sealed class Node
    {
        public Dictionary<char, Node> Next { get; } = [];

        public AddedToken? Token { get; set; }
    }
}
