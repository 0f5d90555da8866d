using System.Globalization;
using System.Text;

namespace Distill.Tokenization.Decoding;

/// <summary>
/// Tokens <c>&lt;0x41&gt;</c> are bytes. A run of them that is not valid UTF-8 becomes one U+FFFD per byte; a stream has by then already
/// given out the characters that were complete.
/// </summary>
internal sealed class ByteFallbackStage : IPieceStage
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public IReadOnlyList<string> Decode(IReadOnlyList<string> pieces)
    {
        var output = new List<string>();
        var run = new List<byte>();
        foreach (string piece in pieces)
        {
            if (TryByte(piece, out byte value))
            {
                run.Add(value);
                continue;
            }
            AddRun(run, output);
            output.Add(piece);
        }
        AddRun(run, output);
        return output;
    }

    public IPieceStream Open(bool fused) => new Stream();

    private static void AddRun(List<byte> run, List<string> output)
    {
        if (run.Count == 0) return;
        try
        {
            output.Add(s_strict.GetString([.. run]));
        }
        catch (DecoderFallbackException)
        {
            output.Add(new string('\uFFFD', run.Count));
        }
        run.Clear();
    }

    private static bool TryByte(string piece, out byte value)
    {
        value = 0;
        return piece is ['<', '0', 'x', _, _, '>']
            && byte.TryParse(piece.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    private sealed class Stream : IPieceStream
    {
        private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

        public void Push(string piece, List<string> output)
        {
            if (TryByte(piece, out byte value))
            {
                Add([value], flush: false, output);
                return;
            }
            Flush(output);
            output.Add(piece);
        }

        public void Flush(List<string> output) => Add([], flush: true, output);

        private void Add(byte[] bytes, bool flush, List<string> output)
        {
            char[] characters = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length)];
            int count = _decoder.GetChars(bytes, characters, flush);
            if (count > 0) output.Add(new string(characters, 0, count));
        }
    }
}
