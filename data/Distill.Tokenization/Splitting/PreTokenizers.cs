using System.Globalization;
using System.Text;

namespace Distill.Tokenization.Splitting;

/// <summary>A slice of a text on its way to the model. <paramref name="First"/>: nothing of the whole text comes before it.</summary>
internal readonly record struct Piece(string Text, int Start, int Length, bool First)
{
    public static Piece Of(string text, bool first) => new(text, 0, text.Length, first);

    public int End => Start + Length;

    public ReadOnlySpan<char> Span => Text.AsSpan(Start, Length);

    /// <summary>Characters [start, end) of <see cref="Text"/>.</summary>
    public Piece Slice(int start, int end) => new(Text, start, end - start, First && start == Start);
}

/// <summary>Cuts a piece of text into the words that the model encodes one by one. Immutable and thread-safe.</summary>
internal interface IPreTokenizer
{
    void Split(Piece piece, List<Piece> output);
}

/// <summary>Pre-tokenizers one after the other, each on the pieces of the one before.</summary>
internal sealed class SequencePreTokenizer(IReadOnlyList<IPreTokenizer> steps) : IPreTokenizer
{
    public void Split(Piece piece, List<Piece> output)
    {
        List<Piece> pieces = [piece], next = [];
        foreach (var step in steps)
        {
            foreach (var part in pieces) step.Split(part, next);
            (pieces, next) = (next, pieces);
            next.Clear();
        }
        output.AddRange(pieces);
    }
}

/// <summary>Cuts at characters of a kind; each of them is a match by itself.</summary>
internal sealed class CharacterPreTokenizer(Func<Rune, bool> matches, SplitBehavior behavior) : IPreTokenizer
{
    public static CharacterPreTokenizer WhitespaceSplit { get; } = new(Rune.IsWhiteSpace, SplitBehavior.Removed);

    public static CharacterPreTokenizer Punctuation(SplitBehavior behavior) => new(IsPunctuation, behavior);

    public static CharacterPreTokenizer Digits(bool individual) =>
        new(IsNumber, individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous);

    public static CharacterPreTokenizer Delimiter(Rune delimiter) => new(rune => rune == delimiter, SplitBehavior.Removed);

    public void Split(Piece piece, List<Piece> output)
    {
        var cutter = new PieceCutter(piece, behavior, output);
        int done = piece.Start;
        for (int at = piece.Start; at < piece.End;)
        {
            Rune.DecodeFromUtf16(piece.Text.AsSpan(at, piece.End - at), out var rune, out int length);
            if (matches(rune))
            {
                cutter.Add(done, at, isMatch: false);
                cutter.Add(at, at + length, isMatch: true);
                done = at + length;
            }
            at += length;
        }
        cutter.Add(done, piece.End, isMatch: false);
        cutter.Finish();
    }

    private static bool IsNumber(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>Unicode's punctuation and ASCII's, which has symbols such as '$' and '+'.</summary>
    private static bool IsPunctuation(Rune rune) => Rune.IsPunctuation(rune) || (rune.IsAscii && Rune.IsSymbol(rune));
}

/// <summary>Cuts at the matches of a pattern.</summary>
/// <param name="behavior">What becomes of the matches.</param>
/// <param name="invert">What does not match counts as match, and the other way round.</param>
internal sealed class SplitPreTokenizer(TextPattern pattern, SplitBehavior behavior, bool invert) : IPreTokenizer
{
    public void Split(Piece piece, List<Piece> output)
    {
        var cutter = new PieceCutter(piece, behavior, output);
        int done = piece.Start;
        foreach (var match in pattern.Matches(piece.Text, piece.Start, piece.End))
        {
            cutter.Add(done, match.Start, isMatch: invert);
            cutter.Add(match.Start, match.End, isMatch: !invert);
            done = match.End;
        }
        cutter.Add(done, piece.End, isMatch: invert);
        cutter.Finish();
    }
}

/// <summary>Words and runs of other characters, by the pattern <c>\w+|[^\w\s]+</c>; white space goes.</summary>
internal sealed class WhitespacePreTokenizer : IPreTokenizer
{
    private enum Kind { Space, Word, Other }

    public void Split(Piece piece, List<Piece> output)
    {
        int start = piece.Start;
        var current = Kind.Space;
        for (int at = piece.Start; at < piece.End;)
        {
            Rune.DecodeFromUtf16(piece.Text.AsSpan(at, piece.End - at), out var rune, out int length);
            var kind = WordCharacters.Has(rune) ? Kind.Word : Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other;
            if (kind != current)
            {
                if (current != Kind.Space) output.Add(piece.Slice(start, at));
                (start, current) = (at, kind);
            }
            at += length;
        }
        if (current != Kind.Space) output.Add(piece.Slice(start, piece.End));
    }
}

/// <summary>Where Metaspace puts a mark in front.</summary>
internal enum PrependScheme
{
    /// <summary>Each piece of text between added tokens.</summary>
    Always,

    /// <summary>The very start of the text.</summary>
    First,

    Never,
}

/// <summary>SentencePiece's way: blanks become a mark (▁), and each word begins with it.</summary>
internal sealed class MetaspacePreTokenizer(string mark, PrependScheme scheme, bool split) : IPreTokenizer
{
    public void Split(Piece piece, List<Piece> output)
    {
        string text = piece.Span.ToString().Replace(" ", mark);
        bool prepends = scheme == PrependScheme.Always || (scheme == PrependScheme.First && piece.First);
        if (prepends && !text.StartsWith(mark, StringComparison.Ordinal)) text = mark + text;
        var whole = Piece.Of(text, piece.First);
        if (!split)
        {
            if (text.Length > 0) output.Add(whole);
            return;
        }
        var cutter = new PieceCutter(whole, SplitBehavior.MergedWithNext, output);
        int done = 0;
        for (int at = text.IndexOf(mark, StringComparison.Ordinal); at >= 0; at = text.IndexOf(mark, done, StringComparison.Ordinal))
        {
            cutter.Add(done, at, isMatch: false);
            cutter.Add(at, at + mark.Length, isMatch: true);
            done = at + mark.Length;
        }
        cutter.Add(done, text.Length, isMatch: false);
        cutter.Finish();
    }
}

/// <summary>What becomes of the matches at which a text is cut.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// <summary>
/// Collects the stretches of a piece, matches and others in turn, and joins them as a <see cref="SplitBehavior"/> says. No piece is
/// empty.
/// </summary>
internal sealed class PieceCutter(Piece piece, SplitBehavior behavior, List<Piece> output)
{
    private int _start = -1;
    private int _end;
    private bool _afterMatch;

    /// <summary>Units [start, end), which follow the stretch added before.</summary>
    public void Add(int start, int end, bool isMatch)
    {
        if (start >= end) return;
        bool joins = _start >= 0 && behavior switch
        {
            SplitBehavior.Contiguous => isMatch == _afterMatch,
            SplitBehavior.MergedWithPrevious => isMatch && !_afterMatch,
            SplitBehavior.MergedWithNext => _afterMatch && !isMatch,
            _ => false,
        };
        if (!joins)
        {
            Finish();
            _start = start;
        }
        _end = end;
        _afterMatch = isMatch;
        if (isMatch && behavior == SplitBehavior.Removed) _start = -1;
    }

    /// <summary>Hands out what is still held.</summary>
    public void Finish()
    {
        if (_start >= 0) output.Add(piece.Slice(_start, _end));
        _start = -1;
    }
}
