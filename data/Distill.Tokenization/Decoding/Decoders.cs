using System.Text;
using Distill.Tokenization.Splitting;

namespace Distill.Tokenization.Decoding;

/// <summary>Turns the texts of tokens back into text. Immutable and thread-safe.</summary>
internal interface IDecoder
{
    string Decode(IReadOnlyList<string> pieces);

    /// <summary>The same, token by token.</summary>
    IDecoderStream Open();

    /// <summary>
    /// What a piece adds to a text that others begin and end, in UTF-8 and perhaps a part of a character; null where that depends on the
    /// others.
    /// </summary>
    byte[]? BytesOf(string piece);
}

/// <summary>Decodes token by token and gives complete characters only. Belongs to one thread at a time.</summary>
internal interface IDecoderStream
{
    /// <summary>The text that is certain after one more token.</summary>
    string Push(string piece);

    /// <summary>What is left at the end; an unfinished character is U+FFFD.</summary>
    string Flush();
}

/// <summary>
/// Reads token texts as bytes in the byte alphabet; a token with any other character counts as its own UTF-8. Invalid bytes
/// become U+FFFD, one for each maximal part of a character (Unicode 3.9, best practice).
/// </summary>
internal sealed class ByteLevelDecoder : IDecoder
{
    public string Decode(IReadOnlyList<string> pieces)
    {
        var bytes = new List<byte>();
        foreach (string piece in pieces) bytes.AddRange(Bytes(piece));
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    public IDecoderStream Open() => new Stream();

    public byte[] BytesOf(string piece) => Bytes(piece);

    private static byte[] Bytes(string piece)
    {
        byte[] bytes = new byte[piece.Length];
        for (int i = 0; i < piece.Length; i++)
            if (!ByteAlphabet.TryByteOf(piece[i], out bytes[i])) return Encoding.UTF8.GetBytes(piece);
        return bytes;
    }

    private sealed class Stream : IDecoderStream
    {
        private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

        public string Push(string piece) => Decode(Bytes(piece), flush: false);

        public string Flush() => Decode([], flush: true);

        private string Decode(byte[] bytes, bool flush)
        {
            char[] characters = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length)];
            return new string(characters, 0, _decoder.GetChars(bytes, characters, flush));
        }
    }
}

/// <summary>For files without a decoder: tokens with a blank between, as the reference prints them.</summary>
internal sealed class SpacedDecoder : IDecoder
{
    public string Decode(IReadOnlyList<string> pieces) => string.Join(' ', pieces);

    public IDecoderStream Open() => new Stream();

    public byte[]? BytesOf(string piece) => null; // the blanks between are no token's

    private sealed class Stream : IDecoderStream
    {
        private bool _begun;

        public string Push(string piece)
        {
            string text = _begun ? " " + piece : piece;
            _begun = true;
            return text;
        }

        public string Flush() => "";
    }
}
