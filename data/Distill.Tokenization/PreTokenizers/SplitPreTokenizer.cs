using Distill.Tokenization.Patterns;

namespace Distill.Tokenization.PreTokenizers;

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
