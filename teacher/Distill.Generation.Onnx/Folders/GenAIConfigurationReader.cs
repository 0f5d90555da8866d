namespace Distill.Generation.Onnx;

/// <summary>Reads genai_config.json: at most 1 MiB, 16 deep, no duplicate keys, every number an integer in range.</summary>
internal static class GenAIConfigurationReader
{
    public const int MostLayers = 1024;
    public const int MostHeads = 1024;
    public const int LargestHead = 4096;
    public const int LargestVocabulary = 10_000_000;
    public const int LongestContext = 1 << 24;

    private const int Depth = 16;

    // The decoder-only words of ONNX Runtime GenAI's model_type.h: the contract this engine speaks.
    private static readonly HashSet<string> DecoderTypes =
    [
        "chatglm", "decoder", "ernie4_5", "exaone", "gemma", "gemma2", "gemma3_text", "gpt2", "gptoss", "granite", "internlm2",
        "lfm2", "llama", "mistral", "nemotron", "olmo", "olmo2", "olmo3", "phi", "phi3", "phi3small", "phimoe", "qwen2", "qwen3", "smollm3",
    ];

    public static GenAIConfiguration Read(string path) => JsonFile.Read(path, Depth, ReadRoot);

    public static GenAIConfiguration Read(ReadOnlyMemory<byte> json, string path) => JsonFile.Read(json, path, Depth, ReadRoot);

    private static GenAIConfiguration ReadRoot(JsonSection root) => ReadModel(root.Section("model"));

    private static GenAIConfiguration ReadModel(JsonSection model)
    {
        string type = model.Text("type");
        if (!DecoderTypes.Contains(type))
            throw model.Fault(
                "type", $"'{type}' is not a decoder-only text model that this engine knows ({string.Join(", ", DecoderTypes.Order())})");
        var decoder = model.Section("decoder");
        RefuseNativeCode(decoder);
        int vocabulary = model.Integer("vocab_size", 1, LargestVocabulary);
        int? TokenId(string key) => model.OptionalInteger(key, -1, vocabulary - 1) is int id and >= 0 ? id : null;
        int layers = decoder.Integer("num_hidden_layers", 1, MostLayers);
        return new GenAIConfiguration(
            type,
            decoder.Text("filename"),
            vocabulary,
            model.Integer("context_length", 2, LongestContext),
            layers,
            decoder.Integer("num_attention_heads", 1, MostHeads),
            decoder.Integer("num_key_value_heads", 1, MostHeads),
            decoder.Integer("head_size", 1, LargestHead),
            model.Integers("eos_token_id", 0, vocabulary - 1),
            TokenId("bos_token_id"),
            TokenId("pad_token_id"),
            TokenId("bor_token_id"),
            TokenId("eor_token_id"),
            ReadNames(decoder))
        {
            SlidingWindow = ReadWindow(decoder, layers),
        };
    }

    /// <summary>Without a list of layers, or with an empty one, every layer slides, as in ONNX Runtime GenAI.</summary>
    private static SlidingWindow? ReadWindow(JsonSection decoder, int layers)
    {
        if (!decoder.Has("sliding_window")) return null;
        JsonSection window = decoder.Section("sliding_window");
        return new SlidingWindow(
            window.Integer("window_size", 1, LongestContext),
            window.Has("layers") && window.Integers("layers", 0, layers - 1, orEmpty: true) is { Count: > 0 } some
                ? some
                : [.. Enumerable.Range(0, layers)]);
    }

    private static GraphNames ReadNames(JsonSection decoder)
    {
        var names = new GraphNames();
        JsonSection inputs = decoder.OptionalSection("inputs"), outputs = decoder.OptionalSection("outputs");
        return new GraphNames
        {
            InputIds = inputs.Text("input_ids", names.InputIds),
            AttentionMask = inputs.Text("attention_mask", names.AttentionMask),
            PositionIds = inputs.Text("position_ids", names.PositionIds),
            PastKey = Pattern(inputs, "past_key_names", names.PastKey),
            PastValue = Pattern(inputs, "past_value_names", names.PastValue),
            Logits = outputs.Text("logits", names.Logits),
            PresentKey = Pattern(outputs, "present_key_names", names.PresentKey),
            PresentValue = Pattern(outputs, "present_value_names", names.PresentValue),
        };
    }

    private static string Pattern(JsonSection section, string key, string otherwise)
    {
        string pattern = section.Text(key, otherwise);
        bool once = pattern.Split('%') is [_, var rest] && rest.StartsWith('d');
        return once ? pattern : throw section.Fault(key, $"'{pattern}' must contain '%d' exactly once and no other '%'");
    }

    /// <summary>A model folder is data: one that asks for native code or for files elsewhere is refused, not obeyed.</summary>
    private static void RefuseNativeCode(JsonSection decoder)
    {
        JsonSection options = decoder.OptionalSection("session_options");
        foreach (string key in (string[])["custom_ops_library", "session.model_external_initializers_file_folder_path"])
        {
            if (options.Has(key)) throw options.Fault(key, "a model folder must not load native code or files from elsewhere");
        }
    }
}
