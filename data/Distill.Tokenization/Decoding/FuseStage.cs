namespace Distill.Tokenization.Decoding;

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
