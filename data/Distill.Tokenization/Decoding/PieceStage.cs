using Distill.Tokenization.Normalization;

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
