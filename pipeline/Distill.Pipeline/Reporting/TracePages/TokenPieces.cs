using Distill.Tokenization;

namespace Distill.Pipeline.Reporting.TracePages;

/// <summary>The text of each token by itself: a character that several tokens make belongs to the last of them.</summary>
internal static class TokenPieces
{
    /// <returns>Ids of one completion → as many texts.</returns>
    public static Func<IReadOnlyList<int>, IReadOnlyList<string>> Of(Tokenizer tokenizer) => ids =>
    {
        var decoder = new IncrementalDecoder(tokenizer);
        string[] pieces = [.. ids.Select(decoder.Push)];
        string rest = decoder.Flush();
        if (pieces.Length > 0) pieces[^1] += rest;
        return pieces;
    };
}
