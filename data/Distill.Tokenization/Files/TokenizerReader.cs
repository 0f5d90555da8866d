using System.Text.Json;
using Distill.Tokenization.AddedTokens;
using Distill.Tokenization.Models;

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
