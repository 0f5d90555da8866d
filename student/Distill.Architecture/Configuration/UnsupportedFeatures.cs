using System.Text.Json;

namespace Distill.Architecture;

/// <summary>Names everything in a configuration that would change the computation and is not implemented.</summary>
internal static class UnsupportedFeatures
{
    public static void Check(ConfigFields fields, DecoderFamily family, DecoderArchitecture architecture)
    {
        string activation = fields.OptionalString("hidden_act") ?? "silu";
        fields.Require(activation is "silu" or "swish", $"hidden_act '{activation}' is not supported, only silu");
        fields.Require(family.AttentionBias || fields.OptionalBool("attention_bias") is not true, "attention_bias true (biases on all four projections) is not supported");
        fields.Require(fields.OptionalBool("mlp_bias") is not true, "mlp_bias true is not supported");
        fields.Require(!fields.Has("quantization_config"), "quantized weights (quantization_config) are not supported");
        fields.Require((fields.OptionalDouble("partial_rotary_factor") ?? 1) == 1, "partial_rotary_factor other than 1 is not supported");
        CheckRope(fields, "rope_scaling");
        CheckRope(fields, "rope_parameters");
        CheckWindow(fields, family, architecture);
        CheckPlainLayers(fields, family, architecture);
    }

    private static void CheckRope(ConfigFields fields, string key)
    {
        if (fields.OptionalObject(key) is not { } rope) return;
        string? type = rope.OptionalString("rope_type") ?? rope.OptionalString("type");
        double partial = rope.OptionalDouble("partial_rotary_factor") ?? 1;
        // Without a type, other keys than these mean per-layer settings or a scheme unknown here.
        bool plain = type is "default" || (type is null && rope.Has("rope_theta"));
        fields.Require(plain, $"{key} of type '{type ?? "unknown"}' is not supported, only default");
        fields.Require(partial == 1, $"{key}.partial_rotary_factor {partial} is not supported, only 1");
        rope.OptionalDouble("rope_theta"); // reported if it is no number
        foreach (string problem in rope.Problems) fields.Problems.Add($"{key}.{problem}");
    }

    private static void CheckWindow(ConfigFields fields, DecoderFamily family, DecoderArchitecture architecture)
    {
        foreach (var type in fields.OptionalArray("layer_types") ?? [])
        {
            if (type.ValueKind == JsonValueKind.String && type.GetString() == "full_attention") continue;
            fields.Problems.Add($"layer_types with {type.GetRawText()} is not supported, only full_attention");
            return;
        }

        // Mistral slides whenever a window is set (and sets one when the file does not); the others only when told to.
        bool slides = family.SlidingWindow is not null || fields.OptionalBool("use_sliding_window") is true;
        bool saysNone = family.SlidingWindow is not null && fields.IsNull("sliding_window");
        if (!slides || saysNone) return;
        int? window = fields.OptionalInt("sliding_window") ?? family.SlidingWindow;
        fields.Require(window is null || window >= architecture.MaxPositions,
            $"sliding_window {window} below max_position_embeddings {architecture.MaxPositions} is not supported");
    }

    private static void CheckPlainLayers(ConfigFields fields, DecoderFamily family, DecoderArchitecture architecture)
    {
        if (family.LayersPerPlainLayer == 0) return;
        int interval = fields.OptionalInt("no_rope_layer_interval") ?? family.LayersPerPlainLayer;
        bool plain = fields.OptionalArray("no_rope_layers") is { } listed
            ? listed.Any(element => element.ValueKind != JsonValueKind.Number || element.GetRawText() != "1") // 1 = rotary
            : interval <= architecture.Layers;
        fields.Require(!plain, "layers without rotary embedding (no_rope_layers) are not supported");
    }
}
