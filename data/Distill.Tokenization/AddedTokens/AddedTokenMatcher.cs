using System.Buffers;
using System.Text;
using Distill.Tokenization.Patterns;

namespace Distill.Tokenization.AddedTokens;

/// <summary>Finds added tokens in a text: leftmost first, then longest. Immutable.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly Node _root = new();
    private readonly SearchValues<char> _firstCharacters;

    /// <param name="tokens">Those without content are never found.</param>
    public AddedTokenMatcher(IEnumerable<AddedToken> tokens)
    {
        foreach (var token in tokens.Where(t => t.Content.Length > 0)) Insert(token);
        _firstCharacters = SearchValues.Create(_root.Next.Keys.ToArray());
    }

    public bool IsEmpty => _root.Next.Count == 0;

    /// <summary>The text cut at its added tokens, in order; a span without a token is ordinary text. No span of text is empty.</summary>
    /// <param name="foreign">Stretches, sorted and disjoint, in which nothing is found, and which nothing found may reach into.</param>
    public IEnumerable<TokenSpan> Cut(string text, IReadOnlyList<TextRange> foreign)
    {
        int done = 0;
        foreach (var (trusted, _) in TextRange.Both(foreign, text.Length).Where(r => !r.Listed))
        {
            for (int at = trusted.Start; Find(text, at, trusted.End) is { } match; at = match.End)
            {
                if (!Accepts(match, text)) continue;
                int start = match.Token!.LeftStrip ? Math.Max(done, StartOfSpaceBefore(text, match.Start)) : match.Start;
                int end = match.Token.RightStrip ? EndOfSpaceAfter(text, match.End) : match.End;
                if (start > done) yield return new TokenSpan(done, start, null);
                // As in the reference, a token of white space is still found in what the one before it has swallowed.
                yield return new TokenSpan(start, end, match.Token);
                done = end;
            }
        }
        if (done < text.Length) yield return new TokenSpan(done, text.Length, null);
    }

    private TokenSpan? Find(string text, int from, int limit)
    {
        for (int at = from; at < limit; at++)
        {
            int offset = text.AsSpan(at, limit - at).IndexOfAny(_firstCharacters);
            if (offset < 0) return null;
            at += offset;
            if (Longest(text, at, limit) is { } match) return match;
        }
        return null;
    }

    private TokenSpan? Longest(string text, int start, int limit)
    {
        TokenSpan? longest = null;
        var node = _root;
        for (int at = start; at < limit && node.Next.TryGetValue(text[at], out var next); at++)
        {
            node = next;
            if (node.Token is not null) longest = new TokenSpan(start, at + 1, node.Token);
        }
        return longest;
    }

    private void Insert(AddedToken token)
    {
        var node = _root;
        foreach (char c in token.Content)
        {
            if (!node.Next.TryGetValue(c, out var next)) node.Next.Add(c, next = new Node());
            node = next;
        }
        node.Token ??= token;
    }

    private static bool Accepts(TokenSpan match, string text) =>
        !match.Token!.SingleWord || (!EndsInWord(text.AsSpan(0, match.Start)) && !BeginsWithWord(text.AsSpan(match.End)));

    private static bool EndsInWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var last, out _) == OperationStatus.Done && WordCharacters.Has(last);

    private static bool BeginsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var first, out _) == OperationStatus.Done && WordCharacters.Has(first);

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
