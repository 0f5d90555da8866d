using System.Text.Json;
using Distill.Architecture;
using Distill.Tokenization.Files;
using Distill.Tokenization.Models;
using Distill.Tokenization.Splitting;

namespace Distill.Export.Gguf;

/// <summary>
/// A tokenizer.json in llama.cpp's words: model <c>gpt2</c> (byte-level merges and the name of a pre-tokenizer) or <c>llama</c>
/// (SentencePiece with scores). What llama.cpp would cut otherwise is refused with the reason; what it does otherwise with rare texts
/// only is noted.
/// </summary>
internal static class GgufTokenizer
{
    private const string At = "tokenizer.ggml";

    /// <returns>What llama.cpp does otherwise than the tokenizer: sentences, usually none.</returns>
    /// <exception cref="InvalidDataException">llama.cpp would give other ids; says why.</exception>
    public static IReadOnlyList<string> Describe(GgufMetadata metadata, TokenizerFiles files, DecoderArchitecture a)
    {
        try
        {
            return Describe(metadata, TokenizerReader.Read(files.TokenizerJson), files, a);
        }
        catch (InvalidDataException wrong)
        {
            throw new InvalidDataException(
                $"llama.cpp cannot read texts as this model's {TokenizerFiles.TokenizerName} does: {wrong.Message}. "
                + "The ONNX export carries the tokenizer as it is.", wrong);
        }
    }

    private static List<string> Describe(GgufMetadata metadata, TokenizerDefinition tokenizer, TokenizerFiles files, DecoderArchitecture a)
    {
        using var document = Json.Parse(files.TokenizerJson);
        var root = document.RootElement;
        var notes = new List<string>();
        RequirePlainAddedTokens(tokenizer);
        if (AddedTokenOverlap.Find(tokenizer.AddedTokens) is { } overlap) notes.Add(overlap);
        var normalizer = NormalizerSteps.Of(root.Optional("normalizer"));
        bool isSentencePiece = tokenizer.Model.Options.ByteFallback;
        var tokens = TokenList.Of(tokenizer, a.VocabularySize, isSentencePiece);
        metadata.Add($"{At}.model", isSentencePiece ? "llama" : "gpt2");
        if (isSentencePiece)
        {
            metadata.Add($"{At}.add_space_prefix", SpacePrefix(root, normalizer));
            metadata.Add($"{At}.scores", MergeScores.Of(tokenizer.Model, a.VocabularySize));
        }
        else
        {
            metadata.Add($"{At}.pre", PreTokenizerName.Of(root.Optional("pre_tokenizer"), tokenizer.Model.Options.IgnoreMerges));
            RequireBytes(tokenizer.Model);
            if (normalizer is ["NFC"])
                notes.Add("llama.cpp does not compose characters (NFC): a text with separate accents gives other tokens.");
            else if (normalizer is not []) throw Unknown($"it normalises text ({string.Join(", ", normalizer)})");
            metadata.Add($"{At}.merges", [.. tokenizer.Model.Merges.Pairs.Select(Line)]);
        }

        metadata.Add($"{At}.tokens", tokens.Texts);
        metadata.Add($"{At}.token_type", [.. tokens.Kinds.Select(kind => (int)kind)]);
        if (SpecialTokens.Describe(metadata, tokenizer, tokens, a) is { } ends) notes.Add(ends);
        ChatTemplates.Describe(metadata, files);
        return notes;
    }

    // llama.cpp looks added tokens up as they stand, wherever they stand.
    private static void RequirePlainAddedTokens(TokenizerDefinition tokenizer)
    {
        foreach (var token in tokenizer.AddedTokens)
        {
            string? flag = token.LeftStrip ? "lstrip" : token.RightStrip ? "rstrip" : token.SingleWord ? "single_word"
                : token.Normalized && tokenizer.Normalizer is not null and not UnicodeNormalizer ? "normalized" : null;
            if (flag is not null) throw Unknown($"its added token '{token.Content}' is looked up in a way of its own ({flag})");
        }
    }

    // In llama.cpp a byte without a token vanishes, so an unknown token must never be needed.
    private static void RequireBytes(BytePairModel model)
    {
        if (model.Options.UnknownToken is not { } unknown) return;
        for (int value = 0; value < 256; value++)
            if (!model.Vocabulary.TryIdOf(ByteAlphabet.CharacterOf((byte)value).ToString(), out _))
                throw Unknown($"its unknown token '{unknown}' stands for byte {value}, which has no token");
    }

    // Whether a blank goes before a text and after every control token.
    private static bool SpacePrefix(JsonElement root, IReadOnlyList<string> normalizer)
    {
        var cut = root.Optional("pre_tokenizer");
        if (cut is null && normalizer is ["Prepend ▁", "Replace ' ' by ▁"]) return true;
        if (cut is null && normalizer is ["Replace ' ' by ▁"]) return false;
        bool isMark = cut is { } step && step.Required("type").Text("type") == "Metaspace" && MetaspaceReader.Mark(step) == "▁"
            && MetaspaceReader.Scheme(step) == PrependScheme.Never && !step.Flag("split", true);
        return isMark && normalizer is [] ? false
            : throw Unknown("it puts marks (▁) for blanks in another way than SentencePiece does there ("
                + $"normalizer: {(normalizer is [] ? "none" : string.Join(", ", normalizer))}; "
                + $"pre_tokenizer: {(cut is { } other ? other.Required("type").Text("type") : "none")})");
    }

    // A merge is one text with a blank between; the blank within a piece stands in the byte alphabet, so there is no other.
    private static string Line((string Left, string Right) pair) => pair.Left.Contains(' ') || pair.Right.Contains(' ')
        ? throw Unknown($"its merge of '{pair.Left}' and '{pair.Right}' has a blank in it")
        : $"{pair.Left} {pair.Right}";

    private static InvalidDataException Unknown(string reason) => new(reason);
}

/// <summary>Added tokens of which one may begin within another.</summary>
internal static class AddedTokenOverlap
{
    /// <returns>What comes of it, for the first two; null where there are none.</returns>
    public static string? Find(IReadOnlyList<AddedToken> tokens)
    {
        foreach (var first in tokens)
            for (int at = 1; at < first.Content.Length; at++)
                foreach (var second in tokens)
                    if (Overlap(first.Content, at, second.Content))
                        return $"The added tokens '{first.Content}' and '{second.Content}' can overlap in a text: llama.cpp takes the "
                            + "longest, the tokenizer the leftmost.";
        return null;
    }

    // Runs of one character are cut alike both ways.
    private static bool Overlap(string first, int at, string second)
    {
        int shared = Math.Min(first.Length - at, second.Length);
        return string.CompareOrdinal(first, at, second, 0, shared) == 0 && (first + second).Distinct().Skip(1).Any();
    }
}

/// <summary>The normaliser of a tokenizer.json step by step, in words.</summary>
internal static class NormalizerSteps
{
    public static IReadOnlyList<string> Of(JsonElement? element) => element is { } present ? [.. Steps(present)] : [];

    private static IEnumerable<string> Steps(JsonElement step)
    {
        string type = step.Required("type").Text("type");
        return type switch
        {
            "Sequence" => step.Required("normalizers").Items("normalizers").SelectMany(Steps),
            "Prepend" => [$"Prepend {step.Required("prepend").Text("prepend")}"],
            "Replace" => [$"Replace {Pattern(step.Required("pattern"))} by {step.Required("content").Text("content")}"],
            _ => [type],
        };
    }

    private static string Pattern(JsonElement pattern) =>
        pattern.ValueKind == JsonValueKind.Object && pattern.OptionalText("String") is { } text ? $"'{text}'" : pattern.GetRawText();
}

/// <summary>Chat templates, which llama.cpp keeps as they are.</summary>
internal static class ChatTemplates
{
    private const string Key = "tokenizer.chat_template";

    public static void Describe(GgufMetadata metadata, TokenizerFiles files)
    {
        var templates = files.TokenizerConfig is { } config ? Named(config) : [];
        if (files.ChatTemplate is { } jinja) templates = new() { [TemplateFiles.Default] = System.Text.Encoding.UTF8.GetString(jinja) };
        if (templates.Remove(TemplateFiles.Default, out string? source)) metadata.Add(Key, source);
        if (templates.Count == 0) return;
        metadata.Add("tokenizer.chat_templates", templates.Keys.Order(StringComparer.Ordinal).ToArray());
        foreach (string name in templates.Keys.Order(StringComparer.Ordinal)) metadata.Add($"{Key}.{name}", templates[name]);
    }

    private static Dictionary<string, string> Named(byte[] config)
    {
        using var document = Json.Parse(config);
        return TemplateFiles.Named(document.RootElement.Optional("chat_template"));
    }
}
