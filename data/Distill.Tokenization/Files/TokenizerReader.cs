using System.Text.Json;
using Distill.Tokenization.Models;
using Distill.Tokenization.Splitting;

namespace Distill.Tokenization.Files;

/// <summary>
/// Reads tokenizer.json (Hugging Face tokenizers, version 1.0). Every failure is an <see cref="InvalidDataException"/> with its reason.
/// </summary>
internal static class TokenizerReader
{
    public static TokenizerDefinition Read(ReadOnlyMemory<byte> utf8)
    {
        using var document = Json.Parse(utf8);
        var root = document.RootElement;
        var model = ModelReader.Read(root.Required("model"));
        var normalizer = NormalizerReader.Read(root.Optional("normalizer"));
        var added = AddedTokens(root.Optional("added_tokens"), model.Vocabulary)
            .ConvertAll(t => t.Normalized && normalizer is not null ? t with { Content = normalizer.Normalize(t.Content) } : t);
        var (preTokenizer, byteLevelWords) = PreTokenizerReader.Read(root.Optional("pre_tokenizer"));
        return new TokenizerDefinition
        {
            Model = model,
            AddedTokens = added,
            Normalizer = normalizer,
            PreTokenizer = preTokenizer,
            ByteLevelWords = byteLevelWords,
            PostProcessor = PostProcessorReader.Read(root.Optional("post_processor")),
            Decoder = DecoderReader.Read(root.Optional("decoder")),
            Fingerprint = TokenizerFingerprint.Of(model, added, root),
        };
    }

    private static List<AddedToken> AddedTokens(JsonElement? list, Vocabulary vocabulary)
    {
        var tokens = new Dictionary<int, AddedToken>();
        if (list is not { } present) return [];
        foreach (var item in present.Items("added_tokens"))
        {
            var token = AddedTokenOf(item);
            if (!tokens.TryAdd(token.Id, token))
                throw new InvalidDataException($"added tokens '{tokens[token.Id].Content}' and '{token.Content}' share id {token.Id}");
            if (vocabulary.TryIdOf(token.Content, out int id) ? id != token.Id : vocabulary.PieceOf(token.Id) is not null)
                throw new InvalidDataException($"added token '{token.Content}' has id {token.Id}, which the vocabulary contradicts");
        }
        return [.. tokens.Values.OrderBy(t => t.Id)];
    }

    private static AddedToken AddedTokenOf(JsonElement item)
    {
        int id = item.Required("id").Integer("id");
        string content = item.Required("content").Text("content");
        if (id < 0 || id >= TokenizerLimits.Tokens)
            throw new InvalidDataException($"added token '{content}' has id {id}; ids are 0 to {TokenizerLimits.Tokens - 1}");
        if (content.Length is 0 or > TokenizerLimits.TokenLength)
            throw new InvalidDataException($"added token {id} is {content.Length} characters long");
        bool special = item.Flag("special", false);
        return new AddedToken(id, content, special, item.Flag("single_word", false), item.Flag("lstrip", false), item.Flag("rstrip", false),
            item.Flag("normalized", !special));
    }
}

/// <summary>Reads the <c>model</c> of a tokenizer.json; only byte-pair encoding is supported.</summary>
internal static class ModelReader
{
    public static BytePairModel Read(JsonElement model)
    {
        // Files older than 0.10 name no type; they are byte-pair models if they have merges.
        string type = model.OptionalText("type") ?? (model.Optional("merges") is null ? "unknown" : "BPE");
        if (type != "BPE") throw new InvalidDataException($"model type '{type}' is not supported; only BPE is");
        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
            if (!string.IsNullOrEmpty(model.OptionalText(affix))) throw new InvalidDataException($"'{affix}' is not supported");
        if (model.Optional("dropout") is { } dropout && (dropout.ValueKind != JsonValueKind.Number || dropout.GetDouble() != 0))
            throw new InvalidDataException("'dropout' makes encodings random and is not supported; set it to null");
        var vocabulary = VocabularyOf(model.Required("vocab"));
        return new BytePairModel(vocabulary, new MergeTable(vocabulary, Merges(model.Required("merges"))), new BytePairOptions(
            model.OptionalText("unk_token"),
            model.Flag("fuse_unk", false),
            model.Flag("byte_fallback", false),
            model.Flag("ignore_merges", false)));
    }

    private static Vocabulary VocabularyOf(JsonElement vocab)
    {
        var ids = new Dictionary<string, int>();
        foreach (var entry in vocab.Members("vocab"))
        {
            string piece = entry.Name;
            int id = entry.Value.Integer("vocab entry");
            if (id < 0 || id >= TokenizerLimits.Tokens)
                throw new InvalidDataException($"token '{piece}' has id {id}; ids are 0 to {TokenizerLimits.Tokens - 1}");
            if (piece.Length > TokenizerLimits.TokenLength) throw new InvalidDataException($"token {id} is {piece.Length} characters long");
            ids.Add(piece, id);
        }
        return new Vocabulary(ids);
    }

    private static List<(string, string)> Merges(JsonElement merges)
    {
        var pairs = new List<(string, string)>();
        foreach (var item in merges.Items("merges"))
        {
            if (pairs.Count >= TokenizerLimits.Tokens) throw new InvalidDataException($"more than {TokenizerLimits.Tokens} merges");
            pairs.Add(item.ValueKind == JsonValueKind.Array ? FromPair(item, pairs.Count) : FromLine(item.Text("merge"), pairs.Count));
        }
        return pairs;
    }

    private static (string, string) FromPair(JsonElement item, int rank) => item.GetArrayLength() == 2
        ? (item[0].Text("merge"), item[1].Text("merge"))
        : throw new InvalidDataException($"merge {rank} must be a pair");

    private static (string, string) FromLine(string line, int rank)
    {
        string[] parts = line.Split(' ');
        return parts.Length == 2
            ? (parts[0], parts[1])
            : throw new InvalidDataException($"merge {rank} '{line}' must be two tokens with one space between");
    }
}
