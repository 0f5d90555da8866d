namespace Distill.Architecture;

/// <summary>Names what else in a configuration would change the computation and is not implemented; readers of single parts name theirs.</summary>
internal static class UnsupportedFeatures
{
    public static void Check(ConfigFields fields, DecoderFamily family)
    {
        string activation = fields.OptionalString("hidden_act") ?? "silu";
        fields.Require(activation is "silu" or "swish", $"hidden_act '{activation}' is not supported, only silu");
        fields.Require(family.AlwaysAttentionBias || family.MayAttentionBias || fields.OptionalBool("attention_bias") is not true,
            $"attention_bias true is not supported in model_type '{family.ModelType}'");
        fields.Require(family.MayFeedForwardBias || fields.OptionalBool("mlp_bias") is not true, $"mlp_bias true is not supported in model_type '{family.ModelType}'");
        fields.Require(!fields.Has("quantization_config"), "quantized weights (quantization_config) are not supported");
    }
}
