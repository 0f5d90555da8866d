namespace Distill.Tokenization.PreTokenizers;

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
