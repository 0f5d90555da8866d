namespace Distill.Tokenization.PreTokenizers;

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
