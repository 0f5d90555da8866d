namespace Distill.Tokenization.Decoding;

/// <summary>One step from token texts to text. Immutable and thread-safe.</summary>
internal interface IPieceStage
{
    IReadOnlyList<string> Decode(IReadOnlyList<string> pieces);

    /// <summary>The same, piece by piece.</summary>
    /// <param name="fused">The pieces that come are parts of one single piece.</param>
    IPieceStream Open(bool fused);
}
