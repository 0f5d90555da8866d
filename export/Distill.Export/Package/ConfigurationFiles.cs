using System.Text.Json;
using Distill.Architecture;

namespace Distill.Export.Package;

/// <summary>
/// genai_config.json, which ONNX Runtime GenAI and our own engine read. Keys and defaults: src/config.h of
/// microsoft/onnxruntime-genai.
/// </summary>
internal static class GenAIConfigurationFile
{
    public const string Name = "genai_config.json";

    /// <summary>GenAI allocates a cache for max_length, so the default must not be a long model's whole context.</summary>
    private const int MaxDefaultLength = 4096;

    /// <param name="graphFile">Relative to the folder, with forward slashes.</param>
    /// <param name="generation">How the model's authors sample from it.</param>
    /// <param name="sharesCache">The graph appends to its cache in place, as GroupQueryAttention does.</param>
    public static byte[] Write(
        DecoderArchitecture a, TokenizerFiles tokenizer, string graphFile, GenerationDefaults generation, bool sharesCache = true) =>
        JsonText.Object(json =>
    {
        json.Object("model", () =>
        {
            if (a.BosTokenId is { } bos) json.WriteNumber("bos_token_id", bos);
            json.WriteNumber("context_length", a.MaxPositions);
            json.Object("decoder", () => Decoder(json, a, graphFile));
            json.Numbers("eos_token_id", a.EndTokenIds);
            json.WriteNumber("pad_token_id", a.PadTokenId ?? a.EosTokenId);
            json.WriteString("type", a.ModelType);
            json.WriteNumber("vocab_size", a.VocabularySize);
            if (tokenizer.FindToken("<think>") is { } begin && tokenizer.FindToken("</think>") is { } end)
            {
                json.WriteNumber("bor_token_id", begin);
                json.WriteNumber("eor_token_id", end);
            }
        });
        json.Object("search", () => Search(json, Math.Min(a.MaxPositions, MaxDefaultLength), generation, sharesCache));
    });

    private static void Decoder(Utf8JsonWriter json, DecoderArchitecture a, string graphFile)
    {
        json.Object("session_options", () =>
        {
            json.WriteString("log_id", "onnxruntime-genai");
            json.WriteStartArray("provider_options");
            json.WriteEndArray();
        });
        json.WriteString("filename", graphFile);
        json.WriteNumber("head_size", a.HeadSize);
        json.WriteNumber("hidden_size", a.HiddenSize);
        json.Object("inputs", () =>
        {
            json.WriteString("input_ids", "input_ids");
            json.WriteString("attention_mask", "attention_mask");
            json.WriteString("past_key_names", "past_key_values.%d.key");
            json.WriteString("past_value_names", "past_key_values.%d.value");
        });
        json.Object("outputs", () =>
        {
            json.WriteString("logits", "logits");
            json.WriteString("present_key_names", "present.%d.key");
            json.WriteString("present_value_names", "present.%d.value");
        });
        json.WriteNumber("num_attention_heads", a.Heads);
        json.WriteNumber("num_hidden_layers", a.Layers);
        json.WriteNumber("num_key_value_heads", a.KeyValueHeads);
    }

    private static void Search(Utf8JsonWriter json, int maxLength, GenerationDefaults generation, bool sharesCache)
    {
        json.WriteNumber("diversity_penalty", 0.0);
        json.WriteBoolean("do_sample", generation.Samples ?? false);
        json.WriteBoolean("early_stopping", true);
        json.WriteNumber("length_penalty", 1.0);
        json.WriteNumber("max_length", maxLength);
        json.WriteNumber("min_length", 0);
        json.WriteNumber("no_repeat_ngram_size", 0);
        json.WriteNumber("num_beams", 1);
        json.WriteNumber("num_return_sequences", 1);
        json.WriteBoolean("past_present_share_buffer", sharesCache);
        json.WriteNumber("repetition_penalty", generation.RepetitionPenalty ?? 1.0);
        json.WriteNumber("temperature", generation.Temperature ?? 1.0);
        json.WriteNumber("top_k", (int)(generation.TopK ?? 50));
        json.WriteNumber("top_p", generation.TopP ?? 1.0);
    }
}

/// <summary>
/// The checkpoint's config.json with what transformers.js must know: which of its types the graph has, so that none need be named, how many
/// data files lie beside it, and the type of its cache.
/// </summary>
internal static class TransformersConfigurationFile
{
    /// <param name="dynamicDataFiles">Of the graph that browsers take by default; null where there is none.</param>
    public static byte[] Write(
        DecoderArchitecture architecture, string graphName, int dataFiles, ExportPrecision precision, int? dynamicDataFiles = null)
    {
        using var config = JsonDocument.Parse(DecoderConfigJson.Write(architecture));
        return JsonText.Object(json =>
        {
            foreach (var property in config.RootElement.EnumerateObject()) property.WriteTo(json);
            json.Object("transformers.js_config", () =>
            {
                if (precision.BrowserName() is { } type) json.WriteString("dtype", type);
                json.Object("use_external_data_format", () =>
                {
                    json.WriteNumber(graphName, dataFiles);
                    if (dynamicDataFiles is { } files) json.WriteNumber(ExportPrecisions.DynamicInt8File, files);
                });
                if (dynamicDataFiles is not null)
                    json.Object("device_config", () => json.Object("wasm", () => json.WriteString("dtype", "q8")));
                if (precision == ExportPrecision.Half)
                    json.Object("kv_cache_dtype", () => json.WriteString(precision.BrowserName()!, "float16"));
            });
        });
    }
}
