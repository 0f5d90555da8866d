namespace Distill.Tokenization.Decoding;

/// <summary>Turns the texts of tokens back into text. Immutable and thread-safe.</summary>
internal interface IDecoder
{
    string Decode(IReadOnlyList<string> pieces);

    /// <summary>The same, token by token.</summary>
    IDecoderStream Open();
}
