using Distill.Tokenization.Decoding;

namespace Distill.Tokenization;

/// <summary>
/// Decodes a completion while it is generated. What has been given out is always a prefix of the whole text and never ends inside a
/// character. Not thread-safe: one decoder per completion.
/// </summary>
public sealed class IncrementalDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private IDecoderStream _stream;

    /// <param name="skipSpecial">Control tokens leave no trace in the text.</param>
    public IncrementalDecoder(Tokenizer tokenizer, bool skipSpecial = false)
    {
        _tokenizer = tokenizer;
        _skipSpecial = skipSpecial;
        _stream = tokenizer.OpenDecoder();
    }

    /// <summary>The text that is certain after this token; empty while a character is unfinished.</summary>
    public string Push(int id)
    {
        if (_skipSpecial && _tokenizer.IsSpecial(id)) return "";
        return _tokenizer.TryPieceOf(id, out string? piece) ? _stream.Push(piece) : "";
    }

    /// <summary>The rest (U+FFFD for an unfinished character); afterwards the decoder begins a new text.</summary>
    public string Flush()
    {
        string rest = _stream.Flush();
        _stream = _tokenizer.OpenDecoder();
        return rest;
    }
}
