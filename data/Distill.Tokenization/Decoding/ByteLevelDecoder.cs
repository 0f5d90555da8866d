using System.Text;

namespace Distill.Tokenization.Decoding;

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
