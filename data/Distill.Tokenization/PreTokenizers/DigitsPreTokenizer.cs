using System.Globalization;
using System.Text;

namespace Distill.Tokenization.PreTokenizers;

/// <summary>Sets digits apart, one by one or run by run. A digit is any character of Unicode's number categories.</summary>
internal sealed class DigitsPreTokenizer(bool individual) : IPreTokenizer
{
    public void Split(Piece piece, List<Piece> output)
    {
        int start = piece.Start;
        bool inDigits = false;
        for (int at = piece.Start; at < piece.End;)
        {
            Rune.DecodeFromUtf16(piece.Text.AsSpan(at, piece.End - at), out var rune, out int length);
            bool isDigit = IsNumber(rune);
            if (at > start && (isDigit != inDigits || (isDigit && individual)))
            {
                output.Add(piece.Slice(start, at));
                start = at;
            }
            inDigits = isDigit;
            at += length;
        }
        if (start < piece.End) output.Add(piece.Slice(start, piece.End));
    }

    private static bool IsNumber(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;
}
