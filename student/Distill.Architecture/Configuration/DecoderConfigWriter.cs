using System.Buffers;
using System.Text.Json;

namespace Distill.Architecture;

/// <summary>The configuration files of a checkpoint, in the layout that every transformers version and its relatives read.</summary>
internal static class DecoderConfigWriter
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    public static byte[] Write(DecoderArchitecture a, DecoderFamily family, SafeTensorType storedAs) => Object(json =>
    {
        json.WriteStartArray("architectures");
        json.WriteStringValue(family.ClassName);
        json.WriteEndArray();
        json.WriteBoolean("attention_bias", a.AttentionBias);
        json.WriteNumber("attention_dropout", 0);
        WriteTokenIds(json, a);
        json.WriteNumber("head_dim", a.HeadSize);
        json.WriteString("hidden_act", "silu");
        json.WriteNumber("hidden_size", a.HiddenSize);
        json.WriteNumber("initializer_range", 0.02);
        json.WriteNumber("intermediate_size", a.IntermediateSize);
        if (a.WindowLayers.Count > 0 && family.Window != WindowRule.Always) WriteLayerTypes(json, a);
        json.WriteNumber("max_position_embeddings", a.MaxPositions);
        if (a.WindowLayers.Count > 0 && family.Window == WindowRule.UpperLayers)
            json.WriteNumber("max_window_layers", a.WindowLayers.Layers[0]);
        if (family.MayFeedForwardBias) json.WriteBoolean("mlp_bias", a.FeedForwardBias);
        json.WriteString("model_type", a.ModelType);
        if (family.LayersPerPlainLayer > 0) WriteRotaryLayers(json, a);
        json.WriteNumber("num_attention_heads", a.Heads);
        json.WriteNumber("num_hidden_layers", a.Layers);
        json.WriteNumber("num_key_value_heads", a.KeyValueHeads);
        json.WriteNumber("rms_norm_eps", a.RmsNormEpsilon);
        RotaryConfigWriter.Write(json, a);
        if (a.SlidingWindow is { } window) json.WriteNumber("sliding_window", window);
        else json.WriteNull("sliding_window");
        json.WriteBoolean("tie_word_embeddings", a.TieEmbeddings);
        json.WriteString("torch_dtype", TypeName(storedAs));
        json.WriteBoolean("use_cache", true);
        if (family.Window is WindowRule.UpperLayers or WindowRule.PlainLayers)
            json.WriteBoolean("use_sliding_window", a.WindowLayers.Count > 0);
        json.WriteNumber("vocab_size", a.VocabularySize);
    });

    public static byte[] WriteGeneration(DecoderArchitecture architecture, GenerationDefaults defaults) => Object(json =>
    {
        WriteTokenIds(json, architecture);
        defaults.Write(json);
    });

    private static void WriteTokenIds(Utf8JsonWriter json, DecoderArchitecture a)
    {
        // An explicit null, because the classes of transformers have ids of their own as defaults.
        if (a.BosTokenId is { } bos) json.WriteNumber("bos_token_id", bos);
        else json.WriteNull("bos_token_id");
        WriteEndTokens(json, a.EndTokenIds);
        if (a.PadTokenId is { } pad) json.WriteNumber("pad_token_id", pad);
        else json.WriteNull("pad_token_id");
    }

    // One is written as a number, which every reader understands.
    private static void WriteEndTokens(Utf8JsonWriter json, TokenIdList ids)
    {
        if (ids.Count == 1)
        {
            json.WriteNumber("eos_token_id", ids[0]);
            return;
        }

        json.WriteStartArray("eos_token_id");
        foreach (int id in ids) json.WriteNumberValue(id);
        json.WriteEndArray();
    }

    private static void WriteRotaryLayers(Utf8JsonWriter json, DecoderArchitecture a)
    {
        json.WriteStartArray("no_rope_layers"); // 1 = rotary, for all that its name says
        for (int layer = 0; layer < a.Layers; layer++) json.WriteNumberValue(a.IsRotary(layer) ? 1 : 0);
        json.WriteEndArray();
    }

    private static void WriteLayerTypes(Utf8JsonWriter json, DecoderArchitecture a)
    {
        json.WriteStartArray("layer_types");
        for (int layer = 0; layer < a.Layers; layer++)
            json.WriteStringValue(a.WindowOf(layer) is null ? "full_attention" : "sliding_attention");
        json.WriteEndArray();
    }

    private static string TypeName(SafeTensorType type) => type switch
    {
        SafeTensorType.Float32 => "float32",
        SafeTensorType.BFloat16 => "bfloat16",
        SafeTensorType.Float16 => "float16",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Weights are stored as float32, bfloat16 or float16."),
    };

    private static byte[] Object(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Indented))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }
}

/// <summary>The rotary part of a configuration in the spelling of published models, which newer transformers reads too.</summary>
internal static class RotaryConfigWriter
{
    public static void Write(Utf8JsonWriter json, DecoderArchitecture a)
    {
        if (a.RotaryScaling is DefaultRotary) json.WriteNull("rope_scaling");
        else
        {
            json.WriteStartObject("rope_scaling");
            json.WriteString("rope_type", a.RotaryScaling.TypeName);
            WriteValues(json, a.RotaryScaling);
            json.WriteEndObject();
        }

        json.WriteNumber("rope_theta", a.RopeTheta);
    }

    private static void WriteValues(Utf8JsonWriter json, RotaryScaling scaling)
    {
        switch (scaling)
        {
            case LinearRotary linear:
                json.WriteNumber("factor", linear.Factor);
                break;
            case Llama3Rotary llama3:
                json.WriteNumber("factor", llama3.Factor);
                json.WriteNumber("high_freq_factor", llama3.HighFrequencyFactor);
                json.WriteNumber("low_freq_factor", llama3.LowFrequencyFactor);
                json.WriteNumber("original_max_position_embeddings", llama3.OriginalPositions);
                break;
            case YarnRotary yarn:
                json.WriteNumber("attention_factor", yarn.AttentionScale);
                json.WriteNumber("beta_fast", yarn.BetaFast);
                json.WriteNumber("beta_slow", yarn.BetaSlow);
                json.WriteNumber("factor", yarn.Factor);
                json.WriteNumber("original_max_position_embeddings", yarn.OriginalPositions);
                if (!yarn.Truncate) json.WriteBoolean("truncate", false);
                break;
            default:
                throw new InvalidDataException($"No config.json can describe the rotary scaling '{scaling.TypeName}'.");
        }
    }
}
