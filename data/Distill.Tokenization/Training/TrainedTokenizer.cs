using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using System.Text.Json;
using System.Text;

namespace Distill.Tokenization.Training;

/// <summary>What training made, ready to be written and used. Immutable.</summary>
public sealed class TrainedTokenizer
{
    private readonly BytePairTrainerOptions _options;

    internal TrainedTokenizer(IReadOnlyList<string> pieces, IReadOnlyList<(string Left, string Right)> merges,
        BytePairTrainerOptions options)
    {
        _options = options;
        VocabularySize = pieces.Count;
        TokenizerJson = TokenizerFileWriter.Tokenizer(pieces, merges, options);
        ConfigJson = TokenizerFileWriter.Config(options);
    }

    /// <summary>Entries; at most what was asked for.</summary>
    public int VocabularySize { get; }

    /// <summary>Content of tokenizer.json.</summary>
    public string TokenizerJson { get; }

    /// <summary>Content of tokenizer_config.json.</summary>
    public string ConfigJson { get; }

    /// <summary>Writes tokenizer.json, tokenizer_config.json and chat_template.jinja into a folder that exists.</summary>
    public void Save(string folder)
    {
        Write(folder, "tokenizer.json", TokenizerJson);
        Write(folder, "tokenizer_config.json", ConfigJson);
        Write(folder, "chat_template.jinja", _options.ChatTemplate);
    }

    private static void Write(string folder, string name, string content) =>
        File.WriteAllBytes(Path.Combine(folder, name), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false).GetBytes(content));
}

/// <summary>
/// Writes tokenizer.json and tokenizer_config.json in the form that Hugging Face tokenizers, transformers.js and ONNX Runtime GenAI read.
/// </summary>
internal static class TokenizerFileWriter
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Tokenizer(IReadOnlyList<string> pieces, IReadOnlyList<(string Left, string Right)> merges,
        BytePairTrainerOptions options) =>
        Write(new JsonObject
    {
        ["version"] = "1.0",
        ["truncation"] = null,
        ["padding"] = null,
        ["added_tokens"] = new JsonArray([.. Added(options).Select(t => AddedToken(t.Content, t.Special, t.Id))]),
        ["normalizer"] = null,
        ["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(new JsonObject { ["type"] = "Digits", ["individual_digits"] = true }, ByteLevel()),
        },
        ["post_processor"] = null,
        ["decoder"] = ByteLevel(),
        ["model"] = Model(pieces, merges),
    });

    public static string Config(BytePairTrainerOptions options) => Write(new JsonObject
    {
        ["tokenizer_class"] = "PreTrainedTokenizerFast",
        ["model_max_length"] = options.ContextLength,
        ["add_bos_token"] = false,
        ["add_prefix_space"] = false,
        ["clean_up_tokenization_spaces"] = false,
        ["bos_token"] = null,
        ["eos_token"] = options.EndToken,
        ["pad_token"] = options.PadToken,
        ["unk_token"] = null,
        ["added_tokens_decoder"] = new JsonObject(Added(options).Select(t => KeyValuePair.Create(t.Id.ToString(),
            (JsonNode?)AddedToken(t.Content, t.Special, id: null)))),
        ["chat_template"] = options.ChatTemplate,
    });

    private static IEnumerable<(string Content, bool Special, int Id)> Added(BytePairTrainerOptions options) =>
        options.SpecialTokens.Select(t => (t, true)).Concat(options.Marks.Select(t => (t, false)))
            .Select((t, id) => (t.Item1, t.Item2, id));

    private static JsonObject AddedToken(string content, bool special, int? id)
    {
        var token = new JsonObject();
        if (id is not null) token["id"] = id;
        token["content"] = content;
        foreach (string flag in (string[])["single_word", "lstrip", "rstrip", "normalized"]) token[flag] = false;
        token["special"] = special;
        return token;
    }

    private static JsonObject ByteLevel() =>
        new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true };

    private static JsonObject Model(IReadOnlyList<string> pieces, IReadOnlyList<(string Left, string Right)> merges) => new()
    {
        ["type"] = "BPE",
        ["dropout"] = null,
        ["unk_token"] = null,
        ["continuing_subword_prefix"] = null,
        ["end_of_word_suffix"] = null,
        ["fuse_unk"] = false,
        ["byte_fallback"] = false,
        ["ignore_merges"] = false,
        ["vocab"] = new JsonObject(pieces.Select((piece, id) => KeyValuePair.Create(piece, (JsonNode?)id))),
        ["merges"] = new JsonArray([.. merges.Select(m => (JsonNode)$"{m.Left} {m.Right}")]),
    };

    private static string Write(JsonObject json) => json.ToJsonString(s_options) + "\n";
}
