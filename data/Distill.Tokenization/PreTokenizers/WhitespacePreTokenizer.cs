using System.Text;
using Distill.Tokenization.Patterns;

namespace Distill.Tokenization.PreTokenizers;

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
