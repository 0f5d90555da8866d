using System.Buffers;
using System.Text.Json;

namespace Distill.Architecture;

/// <summary>The configuration files of a checkpoint, in the layout that every transformers version and its relatives read.</summary>
internal static class DecoderConfigWriter
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    public static byte[] Write(DecoderArchitecture a, DecoderFamily family) => Object(json =>
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
        json.WriteNumber("max_position_embeddings", a.MaxPositions);
        json.WriteString("model_type", a.ModelType);
        if (family.LayersPerPlainLayer > 0) WriteAllRotary(json, a.Layers);
        json.WriteNumber("num_attention_heads", a.Heads);
        json.WriteNumber("num_hidden_layers", a.Layers);
        json.WriteNumber("num_key_value_heads", a.KeyValueHeads);
        json.WriteNumber("rms_norm_eps", a.RmsNormEpsilon);
        json.WriteNull("rope_scaling");
        json.WriteNumber("rope_theta", a.RopeTheta);
        json.WriteNull("sliding_window");
        json.WriteBoolean("tie_word_embeddings", a.TieEmbeddings);
        json.WriteString("torch_dtype", "float32");
        json.WriteBoolean("use_cache", true);
        if (a.ModelType is "qwen2" or "qwen3" or "smollm3") json.WriteBoolean("use_sliding_window", false);
        json.WriteNumber("vocab_size", a.VocabularySize);
    });

    public static byte[] WriteGeneration(DecoderArchitecture architecture) => Object(json => WriteTokenIds(json, architecture));

    private static void WriteTokenIds(Utf8JsonWriter json, DecoderArchitecture a)
    {
        // An explicit null, because the classes of transformers have ids of their own as defaults.
        if (a.BosTokenId is { } bos) json.WriteNumber("bos_token_id", bos);
        else json.WriteNull("bos_token_id");
        json.WriteNumber("eos_token_id", a.EosTokenId);
        if (a.PadTokenId is { } pad) json.WriteNumber("pad_token_id", pad);
        else json.WriteNull("pad_token_id");
    }

    private static void WriteAllRotary(Utf8JsonWriter json, int layers)
    {
        json.WriteStartArray("no_rope_layers");
        for (int layer = 0; layer < layers; layer++) json.WriteNumberValue(1);
        json.WriteEndArray();
    }

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
