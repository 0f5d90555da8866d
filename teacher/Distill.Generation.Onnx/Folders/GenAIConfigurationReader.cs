using System.Text.Json;

namespace Distill.Generation.Onnx;

/// <summary>Reads genai_config.json: at most 1 MiB, 16 deep, no duplicate keys, every number an integer in range.</summary>
internal static class GenAIConfigurationReader
{
    private const int LargestFile = 1 << 20;

    // The decoder-only words of ONNX Runtime GenAI's model_type.h: the contract this engine speaks.
    private static readonly HashSet<string> DecoderTypes =
    [
        "chatglm", "decoder", "ernie4_5", "exaone", "gemma", "gemma2", "gemma3_text", "gpt2", "gptoss", "granite", "internlm2",
        "lfm2", "llama", "mistral", "nemotron", "olmo", "olmo2", "olmo3", "phi", "phi3", "phi3small", "phimoe", "qwen2", "qwen3", "smollm3",
    ];

    public static GenAIConfiguration Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > LargestFile) throw new InvalidDataException($"{path}: larger than {LargestFile} bytes.");
            using var document = JsonDocument.Parse(
                File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            return ReadModel(new JsonSection(path, "", document.RootElement).Section("model"));
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: not valid JSON ({e.Message})", e);
        }
    }

    private static GenAIConfiguration ReadModel(JsonSection model)
    {
        string type = model.Text("type");
        if (!DecoderTypes.Contains(type))
            throw model.Fault("type", $"'{type}' is not a decoder-only text model that this engine knows ({string.Join(", ", DecoderTypes.Order())})");
        var decoder = model.Section("decoder");
        RefuseNativeCode(decoder);
        int vocabulary = model.Integer("vocab_size", 1, 10_000_000);
        int? TokenId(string key) => model.OptionalInteger(key, -1, vocabulary - 1) is int id and >= 0 ? id : null;
        return new GenAIConfiguration(
            type,
            decoder.Text("filename"),
            vocabulary,
            model.Integer("context_length", 2, 1 << 24),
            decoder.Integer("num_hidden_layers", 1, 1024),
            decoder.Integer("num_attention_heads", 1, 1024),
            decoder.Integer("num_key_value_heads", 1, 1024),
            decoder.Integer("head_size", 1, 4096),
            model.Integers("eos_token_id", 0, vocabulary - 1),
            TokenId("bos_token_id"),
            TokenId("pad_token_id"),
            TokenId("bor_token_id"),
            TokenId("eor_token_id"),
            ReadNames(decoder));
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
