namespace Distill.Tokenization.PreTokenizers;

/// <summary>Cuts a piece of text into the words that the model encodes one by one. Immutable and thread-safe.</summary>
internal interface IPreTokenizer
{
    void Split(Piece piece, List<Piece> output);
}
