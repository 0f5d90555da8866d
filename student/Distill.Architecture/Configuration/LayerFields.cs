using System.Text.Json;

namespace Distill.Architecture;

/// <summary>
/// What a configuration says layer by layer: which slide over a window, which have no rotary embedding. Rules of the classes in
/// transformers.
/// </summary>
internal static class LayerFields
{
    private const string Full = "full_attention", Sliding = "sliding_attention";

    /// <summary>Layers without rotary embedding.</summary>
    public static LayerSet Plain(ConfigFields fields, DecoderFamily family, int layers)
    {
        var listed = fields.OptionalArray("no_rope_layers");
        if (family.LayersPerPlainLayer == 0)
        {
            fields.Require(listed is null || listed.All(IsOne), $"no_rope_layers is not supported in model_type '{family.ModelType}'");
            return LayerSet.None;
        }

        int interval = fields.OptionalInt("no_rope_layer_interval") ?? family.LayersPerPlainLayer;
        if (listed is null || listed.Count == 0) // transformers takes an empty list for none given
        {
            fields.Require(interval > 0, $"no_rope_layer_interval {interval} must be positive");
            return interval > 0 ? LayerSet.Where(layers, layer => (layer + 1) % interval == 0) : LayerSet.None;
        }

        fields.Require(listed.Count == layers, $"no_rope_layers has {listed.Count} entries for {layers} layers");
        fields.Require(
            listed.All(element => IsOne(element) || element.GetRawText() == "0"),
            "no_rope_layers holds something that is neither 1 (rotary) nor 0 (none)");
        return LayerSet.Where(Math.Min(listed.Count, layers), layer => !IsOne(listed[layer]));
    }

    /// <summary>The window and the layers that slide over it; null and none when no layer does.</summary>
    public static (int? Window, LayerSet Layers) Windows(ConfigFields fields, DecoderFamily family, LayerSet plain, int layers)
    {
        int? window = Window(fields, family);
        var implied = window is null ? LayerSet.None : family.Window switch
        {
            WindowRule.Always => LayerSet.From(0, layers),
            WindowRule.UpperLayers => LayerSet.From(fields.OptionalInt("max_window_layers") ?? 28, layers),
            WindowRule.PlainLayers => plain,
            _ => LayerSet.None,
        };
        var sliding = Listed(fields, layers) ?? implied;
        fields.Require(
            sliding.Count == 0 || window is not null, $"layer_types with {Sliding} is not supported without a sliding window in use");
        fields.Require(
            family.Window != WindowRule.Always
            || sliding.Equals(implied), $"layer_types that contradicts sliding_window is not supported in model_type '{family.ModelType}'");
        return sliding.Count == 0 ? (null, LayerSet.None) : (window, sliding);
    }

    // The window that the file puts to use.
    private static int? Window(ConfigFields fields, DecoderFamily family)
    {
        int? given = fields.OptionalInt("sliding_window");
        bool used = fields.OptionalBool("use_sliding_window") is true;
        if (family.Window == WindowRule.Never)
        {
            fields.Require(!used, $"use_sliding_window is not supported in model_type '{family.ModelType}'");
            return null;
        }

        if (family.Window != WindowRule.Always && !used) return null;
        return fields.IsNull("sliding_window") ? null : given ?? family.SlidingWindow;
    }

    private static LayerSet? Listed(ConfigFields fields, int layers)
    {
        if (fields.OptionalArray("layer_types") is not { } types) return null;
        fields.Require(types.Count == layers, $"layer_types has {types.Count} entries for {layers} layers");
        string?[] names = [.. types.Select(type => type.ValueKind == JsonValueKind.String ? type.GetString() : type.GetRawText())];
        string? unknown = names.FirstOrDefault(name => name is not (Full or Sliding));
        fields.Require(unknown is null, $"layer_types with {unknown} is not supported, only {Full} and {Sliding}");
        return LayerSet.Where(Math.Min(names.Length, layers), layer => names[layer] == Sliding);
    }

    private static bool IsOne(JsonElement element) => element.ValueKind == JsonValueKind.Number && element.GetRawText() == "1";
}
