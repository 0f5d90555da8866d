using System.Globalization;
using System.Text;

namespace Distill.Tokenization.PreTokenizers;

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
