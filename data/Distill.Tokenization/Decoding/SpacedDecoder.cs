namespace Distill.Tokenization.Decoding;

/// <summary>For files without a decoder: tokens with a blank between, as the reference prints them.</summary>
internal sealed class SpacedDecoder : IDecoder
{
    public string Decode(IReadOnlyList<string> pieces) => string.Join(' ', pieces);

    public IDecoderStream Open() => new Stream();

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
