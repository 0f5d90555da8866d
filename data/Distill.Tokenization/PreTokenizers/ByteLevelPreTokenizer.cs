using System.Text;

namespace Distill.Tokenization.PreTokenizers;

/// <summary>Cuts text by GPT-2's pattern; <see cref="Map"/> then writes a word's UTF-8 bytes in the byte alphabet.</summary>
/// <param name="addPrefixSpace">Puts a space before a piece that does not begin with white space.</param>
/// <param name="useRegex">False leaves pieces whole.</param>
/// <param name="mapNow">Write words in the byte alphabet at once; otherwise whoever encodes the words does it, once per distinct
/// word.</param>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex, bool mapNow) : IPreTokenizer
{
    public void Split(Piece piece, List<Piece> output)
    {
        if (addPrefixSpace && !piece.Span.StartsWith(' ')) piece = Piece.Of(" " + piece.Span.ToString(), piece.First);
        if (!useRegex)
        {
            Add(piece, output);
            return;
        }
        for (int at = 0; at < piece.Length;)
        {
            int end = Gpt2Words.EndOfWord(piece.Span, at);
            Add(piece.Slice(piece.Start + at, piece.Start + end), output);
            at = end;
        }
    }

    /// <summary>The UTF-8 bytes of a text, one character of the byte alphabet for each.</summary>
    public static string Map(ReadOnlySpan<char> text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        int count = Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(count, bytes, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++) span[i] = ByteAlphabet.CharacterOf(source[i]);
        });
    }

    private void Add(Piece word, List<Piece> output) => output.Add(mapNow ? Piece.Of(Map(word.Span), word.First) : word);
}
