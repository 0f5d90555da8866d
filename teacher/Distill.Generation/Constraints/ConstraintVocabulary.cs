using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using Distill.Tokenization;

namespace Distill.Generation.Constraints;

/// <summary>
/// A tokenizer's tokens as the bytes that they write, arranged so that what may follow in a text is found without trying each. Immutable
/// and thread-safe, made once per tokenizer.
/// </summary>
internal sealed class ConstraintVocabulary
{
    /// <summary>In bytes. Longer tokens (rules of dashes, runs of blanks) are never needed: shorter ones spell them.</summary>
    public const int LongestToken = 128;

    private static readonly ConditionalWeakTable<Tokenizer, ConstraintVocabulary> s_made = [];

    private readonly ulong[][] plainWithin; // [characters]: plain tokens of at most so many
    private readonly HashSet<byte> bytes = [], single = []; // that some token has, and that some token is
    private readonly HashSet<int> characters = [];          // that some token is

    private ConstraintVocabulary(Tokenizer tokenizer)
    {
        Words = (tokenizer.VocabularySize + 63) / 64;
        var tokens = new List<(int Id, byte[] Bytes)>();
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            if (tokenizer.BytesOf(id) is { Length: > 0 and <= LongestToken } bytes) tokens.Add((id, bytes));
        }

        foreach (var (_, written) in tokens) Note(written);
        RequireCharacters();
        Masks = new AllowedMasks(this);
        All = new TokenTrie(tokens);
        var other = tokens.Where(token => PlainLength(token.Bytes) < 0).ToList();
        Other = new TokenTrie(other);
        LongestOther = other.Select(token => LengthWithin(token.Bytes)).DefaultIfEmpty(0).Max();
        plainWithin = PlainWithin(tokens);
    }

    /// <summary>Words of a set of tokens.</summary>
    public int Words { get; }

    /// <summary>Every token that text may consist of.</summary>
    public TokenTrie All { get; }

    /// <summary>Those that are not plain: with a quotation mark, a backslash, a control character, or parts of a character.</summary>
    public TokenTrie Other { get; }

    /// <summary>Bytes that any of <see cref="Other"/> has before the string can end in which it begins.</summary>
    public int LongestOther { get; }

    /// <summary>What constraints of this tokenizer have computed.</summary>
    public AllowedMasks Masks { get; }

    /// <exception cref="NotSupportedException">Texts of this tokenizer cannot be built token by token; says why.</exception>
    public static ConstraintVocabulary Of(Tokenizer tokenizer) =>
        s_made.GetValue(tokenizer, static tokenizer => new ConstraintVocabulary(tokenizer));

    /// <summary>Plain tokens, those that a JSON string may hold wherever a character may begin, of at most so many characters.</summary>
    public ReadOnlySpan<ulong> PlainWithin(int characters) => plainWithin[Math.Min(characters, plainWithin.Length - 1)];

    /// <summary>Whether some token has the byte.</summary>
    public bool Has(byte value) => bytes.Contains(value);

    /// <summary>Whether there are tokens for each of a text's characters.</summary>
    /// <param name="text">UTF-8.</param>
    public bool Spells(ReadOnlySpan<byte> text)
    {
        while (Rune.DecodeFromUtf8(text, out var character, out int length) == OperationStatus.Done)
        {
            if (!characters.Contains(character.Value))
            {
                foreach (byte value in text[..length])
                {
                    if (!single.Contains(value)) return false;
                }
            }

            text = text[length..];
        }

        return text.IsEmpty;
    }

    private void Note(byte[] written)
    {
        bytes.UnionWith(written);
        if (written.Length == 1) single.Add(written[0]);
        if (Rune.DecodeFromUtf8(written, out var character, out int length) == OperationStatus.Done && length == written.Length)
            characters.Add(character.Value);
    }

    private void RequireCharacters()
    {
        string missing = string.Concat(
            Enumerable.Range(' ', '~' - ' ' + 1).Where(code => !single.Contains((byte)code)).Select(code => (char)code));
        if (missing.Length > 0)
            throw new NotSupportedException(
                $"Output cannot be constrained with this tokenizer: it has no token for {missing.Length} of the printable ASCII characters "
                    + $"('{missing[0]}' among them), or its file names no decoder that tells the text of one token.");
    }

    private ulong[][] PlainWithin(List<(int Id, byte[] Bytes)> tokens)
    {
        var byLength = tokens.Select(token => (token.Id, Length: PlainLength(token.Bytes))).Where(token => token.Length > 0)
            .ToLookup(token => token.Length, token => token.Id);
        int longest = byLength.Select(group => group.Key).DefaultIfEmpty(0).Max();
        ulong[][] within = new ulong[longest + 1][];
        within[0] = new ulong[Words];
        for (int length = 1; length <= longest; length++)
        {
            within[length] = byLength.Contains(length) ? [.. within[length - 1]] : within[length - 1];
            foreach (int id in byLength[length]) within[length][id >> 6] |= 1UL << id;
        }

        return within;
    }

    /// <summary>Bytes before the first that ends a string or may not stand in one.</summary>
    private static int LengthWithin(byte[] bytes)
    {
        int end = bytes.AsSpan().IndexOfAnyInRange((byte)0, (byte)0x1F), quote = Array.IndexOf(bytes, (byte)'"');
        return Math.Min(end < 0 ? bytes.Length : end, quote < 0 ? bytes.Length : quote);
    }

    /// <summary>Characters of a plain token; −1 for another.</summary>
    private static int PlainLength(byte[] bytes)
    {
        int characters = 0;
        var scan = TextScan.Start;
        foreach (byte next in bytes)
        {
            if (next is (byte)'"' or (byte)'\\' || !scan.Take(next, canonical: true, out scan)) return -1;
            if (scan.IsBetween) characters++;
        }

        return scan.IsBetween ? characters : -1;
    }
}

/// <summary>
/// Tokens by their bytes, as a tree laid out in preorder: the first child of node i is i + 1, the next sibling <see cref="Next"/>[i].
/// Immutable.
/// </summary>
internal sealed class TokenTrie
{
    private readonly List<byte> labels = [];
    private readonly List<int> next = [];
    private readonly List<int> firstToken = [];
    private readonly List<int> ids = [];

    public TokenTrie(IEnumerable<(int Id, byte[] Bytes)> tokens)
    {
        (int Id, byte[] Bytes)[] sorted = [.. tokens];
        Array.Sort(sorted, static (a, b) => a.Bytes.AsSpan().SequenceCompareTo(b.Bytes));
        Add(sorted, 0, 0);
        firstToken.Add(ids.Count);
    }

    /// <summary>Nodes; the root is none of them.</summary>
    public int Count => labels.Count;

    public byte Label(int node) => labels[node];

    /// <summary>The node after all that are below this one.</summary>
    public int Next(int node) => next[node];

    /// <summary>Ids of the tokens that end here.</summary>
    public ReadOnlySpan<int> Tokens(int node) =>
        System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ids)[firstToken[node]..firstToken[node + 1]];

    private void Add(ReadOnlySpan<(int Id, byte[] Bytes)> tokens, int depth, int from)
    {
        for (int at = from; at < tokens.Length;)
        {
            byte label = tokens[at].Bytes[depth];
            int end = at;
            while (end < tokens.Length && tokens[end].Bytes[depth] == label) end++;
            int node = labels.Count, below = at;
            labels.Add(label);
            next.Add(0);
            firstToken.Add(ids.Count);
            for (; below < end && tokens[below].Bytes.Length == depth + 1; below++) ids.Add(tokens[below].Id);
            Add(tokens[..end], depth + 1, below);
            next[node] = labels.Count;
            at = end;
        }
    }
}
