using System.Text;

namespace Distill.Tokenization.Decoding;

/// <summary>One step from token texts to text. Immutable and thread-safe.</summary>
internal interface IPieceStage
{
    IReadOnlyList<string> Decode(IReadOnlyList<string> pieces);

    /// <summary>The same, piece by piece.</summary>
    /// <param name="fused">The pieces that come are parts of one single piece.</param>
    IPieceStream Open(bool fused);
}

/// <summary>A stage at work. Belongs to one thread at a time.</summary>
internal interface IPieceStream
{
    void Push(string piece, List<string> output);

    /// <summary>There is nothing more to come.</summary>
    void Flush(List<string> output);
}

/// <summary>Stages one after the other; what the last one gives is joined.</summary>
internal sealed class StagedDecoder(IReadOnlyList<IPieceStage> stages) : IDecoder
{
    private const string Neighbour = "a"; // stands for the rest of a text, whose ends stages may treat differently

    public string Decode(IReadOnlyList<string> pieces) =>
        string.Concat(stages.Aggregate(pieces, (current, stage) => stage.Decode(current)));

    public byte[]? BytesOf(string piece)
    {
        if (stages.Any(stage => stage is ByteFallbackStage) && ByteFallbackStage.TryByte(piece, out byte value)) return [value];
        string text = Decode([Neighbour, piece, Neighbour]);
        bool between = text.Length >= 2 * Neighbour.Length
            && text.StartsWith(Neighbour, StringComparison.Ordinal) && text.EndsWith(Neighbour, StringComparison.Ordinal);
        return between ? Encoding.UTF8.GetBytes(text[Neighbour.Length..^Neighbour.Length]) : null;
    }

    public IDecoderStream Open()
    {
        var streams = new List<IPieceStream>();
        bool fused = false;
        foreach (var stage in stages)
        {
            streams.Add(stage.Open(fused));
            fused |= stage is FuseStage;
        }
        return new Stream(streams);
    }

    private sealed class Stream(List<IPieceStream> streams) : IDecoderStream
    {
        public string Push(string piece) => string.Concat(Run([piece], from: 0));

        public string Flush()
        {
            var rest = new List<string>();
            for (int at = 0; at < streams.Count; at++)
            {
                var flushed = new List<string>();
                streams[at].Flush(flushed);
                rest.AddRange(Run(flushed, at + 1));
            }
            return string.Concat(rest);
        }

        private List<string> Run(List<string> pieces, int from)
        {
            for (int at = from; at < streams.Count; at++)
            {
                var next = new List<string>();
                foreach (string piece in pieces) streams[at].Push(piece, next);
                pieces = next;
            }
            return pieces;
        }
    }
}
