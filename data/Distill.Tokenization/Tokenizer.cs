using System.Diagnostics.CodeAnalysis;
using System.Text;
using Distill.Templates;
using Distill.Tokenization.Decoding;
using Distill.Tokenization.Files;
using Distill.Tokenization.Models;
using Distill.Tokenization.Splitting;

namespace Distill.Tokenization;

/// <summary>
/// Text to token ids and back, as a Hugging Face tokenizer.json describes it (byte-pair encoding). Immutable and thread-safe.
/// </summary>
public sealed class Tokenizer
{
    private readonly TokenizerDefinition _definition;
    private readonly Dictionary<int, AddedToken> _added;
    private readonly Dictionary<string, int> _addedIds;
    private readonly TextCutter _cutter;
    private readonly WordEncoder _words;
    private readonly WordEncoder _plainWords;

    internal Tokenizer(TokenizerDefinition definition, TokenizerConfig config)
    {
        _definition = definition;
        _added = definition.AddedTokens.ToDictionary(t => t.Id);
        _addedIds = definition.AddedTokens.GroupBy(t => t.Content).ToDictionary(g => g.Key, g => g.First().Id);
        _cutter = new TextCutter(definition.AddedTokens, definition.Normalizer);
        _words = new WordEncoder(definition.Model, definition.ByteLevelWords, new HashSet<int>());
        _plainWords = new WordEncoder(definition.Model, definition.ByteLevelWords, Forbidden(definition));
        VocabularySize = Math.Max(definition.Model.Vocabulary.Size, _added.Keys.DefaultIfEmpty(-1).Max() + 1);
        BeginToken = config.BeginToken is { } begin ? IdOf(begin) : null;
        EndToken = config.EndToken is { } end ? IdOf(end) : null;
        PadToken = config.PadToken is { } pad ? IdOf(pad) : null;
    }

    /// <summary>Largest id + 1, added tokens included.</summary>
    public int VocabularySize { get; }

    /// <summary>
    /// SHA-256 (hex) of all that decides ids: vocabulary, merges, normaliser, pre-tokenizer, added tokens. Equal fingerprints mean equal
    /// encodings; token-aligned data is refused where fingerprints differ.
    /// </summary>
    public string Fingerprint => _definition.Fingerprint;

    /// <summary>Id of the token that begins a text (<c>bos_token</c> of tokenizer_config.json); null when not given.</summary>
    public int? BeginToken { get; }

    /// <summary>Id of the token that ends a message (<c>eos_token</c> of tokenizer_config.json); null when not given.</summary>
    public int? EndToken { get; }

    /// <summary>Id of the padding token (<c>pad_token</c> of tokenizer_config.json); null when not given.</summary>
    public int? PadToken { get; }

    /// <summary>Reads tokenizer.json and, where there is one, tokenizer_config.json.</summary>
    /// <exception cref="InvalidDataException">A file is absent, not what it should be, or uses what is not supported: says which and
    /// why.</exception>
    public static Tokenizer Load(string folder) =>
        new(BoundedFile.Read(folder, "tokenizer.json", bytes => TokenizerReader.Read(bytes)), TokenizerConfig.Load(folder));

    /// <param name="json">The content of a tokenizer.json.</param>
    /// <exception cref="InvalidDataException">It is not one, or uses what is not supported.</exception>
    public static Tokenizer FromJson(string json) => new(TokenizerReader.Read(Encoding.UTF8.GetBytes(json)), TokenizerConfig.Empty);

    /// <summary>Token ids of a text, without what a post-processor would add around it.</summary>
    /// <param name="allowSpecial">
    /// True: added tokens written in the text become those tokens. False, for text that is not trusted: no added token can come of it,
    /// whatever it says.
    /// </param>
    public int[] Encode(string text, bool allowSpecial = false)
    {
        text = WellFormed(text);
        return Encode(text, allowSpecial ? [] : [new TextRange(0, text.Length)], allowSpecial ? _words : _plainWords);
    }

    /// <summary>A text in parts trusted: added tokens are found outside the <paramref name="foreign"/> stretches only.</summary>
    /// <param name="foreign">Sorted and disjoint.</param>
    internal int[] Encode(string text, IReadOnlyList<TextRange> foreign) => Encode(WellFormed(text), foreign, _plainWords);

    private int[] Encode(string text, IReadOnlyList<TextRange> foreign, WordEncoder words)
    {
        var ids = new List<int>();
        var pieces = new List<Piece>();
        foreach (var cut in _cutter.Cut(text, foreign))
        {
            if (cut.Token is not null)
            {
                ids.Add(cut.Token.Id);
                continue;
            }
            pieces.Clear();
            if (_definition.PreTokenizer is { } preTokenizer) preTokenizer.Split(cut.Text, pieces);
            else pieces.Add(cut.Text);
            foreach (var word in pieces) words.Encode(word.Span, ids);
        }
        return [.. ids];
    }

    /// <summary>Token ids of a text with what the post-processor adds around it, such as a token that begins every text.</summary>
    public int[] EncodeWhole(string text, bool allowSpecial = false) => _definition.PostProcessor.Apply(Encode(text, allowSpecial));

    /// <summary>The text of tokens; ids that are not in the vocabulary leave no trace.</summary>
    /// <param name="skipSpecial">Leave control tokens out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = false)
    {
        var pieces = new List<string>(ids.Length);
        foreach (int id in ids)
            if (!(skipSpecial && IsSpecial(id)) && TryPieceOf(id, out string? piece)) pieces.Add(piece);
        return _definition.Decoder.Decode(pieces);
    }

    /// <summary>The id of a token, written as in the file; null when there is none.</summary>
    public int? IdOf(string token) =>
        _addedIds.TryGetValue(token, out int id) || _definition.Model.Vocabulary.TryIdOf(token, out id) ? id : null;

    /// <summary>A token as written in the file: byte-level tokens in the byte alphabet.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No token has this id.</exception>
    public string PieceOf(int id) => TryPieceOf(id, out string? piece)
        ? piece
        : throw new ArgumentOutOfRangeException(nameof(id), id, $"no token has id {id}; the vocabulary has {VocabularySize} ids");

    /// <summary>Whether the token is a control token, which decoding can leave out.</summary>
    public bool IsSpecial(int id) => _added.TryGetValue(id, out var token) && token.Special;

    /// <summary>Whether the token is an added token, special or not (<c>&lt;think&gt;</c>): one that plain text never gives.</summary>
    public bool IsAdded(int id) => _added.ContainsKey(id);

    /// <summary>As <see cref="PieceOf"/>; false where no token has this id: models often have more ids than their tokenizer.</summary>
    public bool TryPieceOf(int id, [NotNullWhen(true)] out string? piece) =>
        (piece = _added.TryGetValue(id, out var token) ? token.Content : _definition.Model.Vocabulary.PieceOf(id)) is not null;

    /// <summary>
    /// What a token adds to a text that others begin and end, in UTF-8 and perhaps a part of a character; null for added tokens, which no
    /// text gives, and where it depends on the other tokens.
    /// </summary>
    internal byte[]? BytesOf(int id)
    {
        bool isText = !_added.TryGetValue(id, out var added) || (!added.Special && added.Content.Length == 1);
        return isText && TryPieceOf(id, out string? piece) ? _definition.Decoder.BytesOf(piece) : null;
    }

    internal IDecoderStream OpenDecoder() => _definition.Decoder.Open();

    /// <summary>
    /// Added tokens that merges could make of plain text. Those of one character that are not special stay: nothing else may spell it.
    /// The unknown token stays too: text that has no tokens is no control token.
    /// </summary>
    private static HashSet<int> Forbidden(TokenizerDefinition definition) => [.. definition.AddedTokens
        .Where(t => (t.Special || t.Content.Length > 1) && t.Content != definition.Model.Options.UnknownToken)
        .Select(t => t.Id)];

    /// <summary>Lone surrogates are no text; like everywhere in .NET they become U+FFFD, unit by unit.</summary>
    private static string WellFormed(string text) =>
        text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? LoneSurrogatesReplaced(text) : text;

    private static string LoneSurrogatesReplaced(string text) => string.Create(text.Length, text, static (span, source) =>
    {
        for (int i = 0; i < span.Length; i++)
        {
            bool pairs = char.IsHighSurrogate(source[i]) && i + 1 < source.Length && char.IsLowSurrogate(source[i + 1]);
            span[i] = pairs || !char.IsSurrogate(source[i]) ? source[i] : '\uFFFD';
            if (pairs) span[++i] = source[i];
        }
    });
}
