using System.Globalization;
using System.Text;
using Distill.Tokenization.Splitting;

namespace Distill.Tokenization.Decoding;

/// <summary>A stage that changes pieces one by one, the first one perhaps differently.</summary>
/// <param name="change">From a piece, and whether it is the first.</param>
internal sealed class PieceStage(Func<string, bool, string> change) : IPieceStage
{
    public static PieceStage Replace(ReplaceNormalizer replacement) => new((piece, _) => replacement.Normalize(piece));

    /// <summary>Marks become blanks; those of the first piece go, if they were put in front.</summary>
    public static PieceStage Metaspace(string mark, bool prepended) =>
        new((piece, first) => piece.Replace(mark, first && prepended ? "" : " "));

    public IReadOnlyList<string> Decode(IReadOnlyList<string> pieces) => [.. pieces.Select((piece, at) => change(piece, at == 0))];

    public IPieceStream Open(bool fused) => new Stream(change);

    private sealed class Stream(Func<string, bool, string> change) : IPieceStream
    {
        private bool _begun;

        public void Push(string piece, List<string> output)
        {
            output.Add(change(piece, !_begun));
            _begun = true;
        }

        public void Flush(List<string> output)
        {
        }
    }
}

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

    public static bool TryByte(string piece, out byte value)
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

/// <summary>Makes one piece of all; for the stages behind it.</summary>
internal sealed class FuseStage : IPieceStage
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> pieces) => [string.Concat(pieces)];

    public IPieceStream Open(bool fused) => new Stream();

    private sealed class Stream : IPieceStream
    {
        public void Push(string piece, List<string> output) => output.Add(piece);

        public void Flush(List<string> output)
        {
        }
    }
}

/// <summary>Takes up to so many of one character off the start and the end of each piece.</summary>
internal sealed class StripStage(char character, int start, int stop) : IPieceStage
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> pieces) => [.. pieces.Select(Strip)];

    public IPieceStream Open(bool fused) => fused ? new FusedStream(character, start, stop) : new Stream(this);

    private string Strip(string piece)
    {
        int from = Math.Min(start, piece.Length - piece.TrimStart(character).Length);
        int to = piece.Length - Math.Min(stop, piece.Length - piece.TrimEnd(character).Length);
        return from >= to ? "" : piece[from..to];
    }

    private sealed class Stream(StripStage stage) : IPieceStream
    {
        public void Push(string piece, List<string> output) => output.Add(stage.Strip(piece));

        public void Flush(List<string> output)
        {
        }
    }

    /// <summary>Parts of one piece: its start is stripped once, and what may be its end is held back.</summary>
    private sealed class FusedStream(char character, int start, int stop) : IPieceStream
    {
        private int _startLeft = start;
        private string _held = "";

        public void Push(string piece, List<string> output)
        {
            int from = 0;
            while (_startLeft > 0 && from < piece.Length && piece[from] == character)
            {
                from++;
                _startLeft--;
            }
            if (from < piece.Length) _startLeft = 0;
            string text = _held + piece[from..];
            int kept = Math.Min(stop, text.Length - text.TrimEnd(character).Length);
            _held = text[^kept..];
            output.Add(text[..^kept]);
        }

        public void Flush(List<string> output) => _held = "";
    }
}
