namespace Distill.Tokenization.Decoding;

/// <summary>A stage at work. Belongs to one thread at a time.</summary>
internal interface IPieceStream
{
    void Push(string piece, List<string> output);

    /// <summary>There is nothing more to come.</summary>
    void Flush(List<string> output);
}
