using System.Buffers;
using System.Text;
using Distill.Templates;

namespace Distill.Tokenization.Splitting;

/// <summary>A token that is looked for in the text itself, before normaliser, pre-tokenizer and model see it.</summary>
/// <param name="Special">A control token: left out of decoded text on request.</param>
/// <param name="SingleWord">Found only where no word character touches it.</param>
/// <param name="LeftStrip">Swallows the white space before it.</param>
/// <param name="RightStrip">Swallows the white space after it.</param>
/// <param name="Normalized">Looked for in the normalised text instead of the text as given.</param>
internal sealed record AddedToken(int Id, string Content, bool Special, bool SingleWord, bool LeftStrip, bool RightStrip, bool Normalized);

/// <summary>Characters [Start, End) of a text: an added token, or ordinary text when there is none.</summary>
internal readonly record struct TokenSpan(int Start, int End, AddedToken? Token);

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

/// <summary>An added token, or where there is none ordinary text, normalised.</summary>
internal readonly record struct CutPiece(AddedToken? Token, Piece Text);

/// <summary>
/// Cuts a text into added tokens and normalised pieces between them. Tokens that want it are searched in the normalised text, after all
/// others. Immutable and thread-safe.
/// </summary>
internal sealed class TextCutter
{
    private readonly INormalizer? _normalizer;
    private readonly AddedTokenMatcher _before;
    private readonly AddedTokenMatcher _after;

    /// <param name="tokens">The content of those searched in normalised text must be normalised too.</param>
    public TextCutter(IReadOnlyList<AddedToken> tokens, INormalizer? normalizer)
    {
        _normalizer = normalizer;
        _before = new AddedTokenMatcher(tokens.Where(t => !t.Normalized));
        _after = new AddedTokenMatcher(tokens.Where(t => t.Normalized));
    }

    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="foreign">Stretches in which no token may be found; sorted, disjoint.</param>
    public IEnumerable<CutPiece> Cut(string text, IReadOnlyList<TextRange> foreign)
    {
        foreach (var span in _before.Cut(text, foreign))
        {
            if (span.Token is not null)
            {
                yield return new CutPiece(span.Token, default);
                continue;
            }
            var within = TextRange.Clip(foreign, span.Start, span.End);
            foreach (var piece in CutNormalized(text[span.Start..span.End], within, span.Start == 0)) yield return piece;
        }
    }

    private IEnumerable<CutPiece> CutNormalized(string text, List<TextRange> foreign, bool first)
    {
        bool mixed = foreign.Count > 0 && foreign[0] != new TextRange(0, text.Length);
        if (_after.IsEmpty || !mixed || _normalizer is null)
        {
            // Positions survive normalisation only where it is none, or where all or nothing of the text is foreign.
            string normalized = Normalize(text);
            bool allForeign = foreign.Count > 0 && !mixed;
            return After(normalized, allForeign ? [new TextRange(0, normalized.Length)] : _normalizer is null ? foreign : [], first);
        }
        // Otherwise each stretch is normalised by itself, which differs from the whole only where a character meets its marks at a border.
        return TextRange.Both(foreign, text.Length).SelectMany(stretch =>
        {
            string normalized = Normalize(text[stretch.Range.Start..stretch.Range.End]);
            return After(normalized, stretch.Listed ? [new TextRange(0, normalized.Length)] : [], first && stretch.Range.Start == 0);
        });
    }

    private IEnumerable<CutPiece> After(string text, IReadOnlyList<TextRange> foreign, bool first)
    {
        foreach (var span in _after.Cut(text, foreign))
            yield return span.Token is not null
                ? new CutPiece(span.Token, default)
                : new CutPiece(null, Piece.Of(text[span.Start..span.End], first && span.Start == 0));
    }

    private string Normalize(string text) => _normalizer?.Normalize(text) ?? text;
}
