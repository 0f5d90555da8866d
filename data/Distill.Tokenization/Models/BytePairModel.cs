using System.Buffers;
using System.Globalization;
using System.Text;

namespace Distill.Tokenization.Models;

/// <summary>
/// Byte-pair encoding (Sennrich et al. 2016): a word begins as its characters, and the pair with the lowest rank merges, leftmost
/// first, until none is left. Immutable and thread-safe.
/// </summary>
internal sealed class BytePairModel
{
    private readonly int? _unknown;
    private readonly int[]? _byteTokens;

    /// <exception cref="InvalidDataException">The unknown token or a byte token is missing.</exception>
    public BytePairModel(Vocabulary vocabulary, MergeTable merges, BytePairOptions options)
    {
        Vocabulary = vocabulary;
        Merges = merges;
        Options = options;
        if (options.UnknownToken is { } unknown)
            _unknown = vocabulary.TryIdOf(unknown, out int id)
                ? id
                : throw new InvalidDataException($"the unknown token '{unknown}' is not in the vocabulary");
        _byteTokens = options.ByteFallback ? ByteTokens(vocabulary) : null;
    }

    public Vocabulary Vocabulary { get; }

    public MergeTable Merges { get; }

    public BytePairOptions Options { get; }

    /// <summary>The ids of one word, appended to <paramref name="output"/>.</summary>
    /// <param name="forbidden">Ids that must not come out of text, such as those of control tokens; the unknown token may.</param>
    public void Encode(ReadOnlySpan<char> word, IReadOnlySet<int> forbidden, List<int> output)
    {
        if (Options.IgnoreMerges && Vocabulary.TryIdOf(word, out int whole) && !forbidden.Contains(whole))
        {
            output.Add(whole);
            return;
        }
        var symbols = Symbols(word, forbidden);
        output.AddRange(PairMerger.Merge(symbols, Merges, forbidden));
    }

    private List<int> Symbols(ReadOnlySpan<char> word, IReadOnlySet<int> forbidden)
    {
        var symbols = new List<int>(word.Length);
        bool afterUnknown = false;
        while (!word.IsEmpty)
        {
            int length = Rune.DecodeFromUtf16(word, out _, out int consumed) == OperationStatus.Done ? consumed : 1;
            bool known = Vocabulary.TryIdOf(word[..length], out int id) && !forbidden.Contains(id);
            if (known) symbols.Add(id);
            else if (!AddBytes(word[..length], symbols) && _unknown is { } unknown && !(afterUnknown && Options.FuseUnknown))
                symbols.Add(unknown);
            afterUnknown = !known && symbols.Count > 0 && symbols[^1] == _unknown;
            word = word[length..];
        }
        return symbols;
    }

    private bool AddBytes(ReadOnlySpan<char> character, List<int> symbols)
    {
        if (_byteTokens is null) return false;
        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..Encoding.UTF8.GetBytes(character, bytes)];
        foreach (byte b in bytes)
            if (_byteTokens[b] < 0) return false;
        foreach (byte b in bytes) symbols.Add(_byteTokens[b]);
        return true;
    }

    private static int[] ByteTokens(Vocabulary vocabulary) => [.. Enumerable.Range(0, 256)
        .Select(b => vocabulary.TryIdOf(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"), out int id) ? id : -1)];
}
