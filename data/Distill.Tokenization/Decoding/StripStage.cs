namespace Distill.Tokenization.Decoding;

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
