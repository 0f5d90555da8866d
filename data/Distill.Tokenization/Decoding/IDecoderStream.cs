namespace Distill.Tokenization.Decoding;

/// <summary>Decodes token by token and gives complete characters only. Belongs to one thread at a time.</summary>
internal interface IDecoderStream
{
    /// <summary>The text that is certain after one more token.</summary>
    string Push(string piece);

    /// <summary>What is left at the end; an unfinished character is U+FFFD.</summary>
    string Flush();
}
