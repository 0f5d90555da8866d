using Distill.Architecture;

namespace Distill.Export.Gguf;

/// <summary>
/// An architecture in llama.cpp's words, or the reasons why it has none for it. What llama.cpp would compute otherwise than the model
/// was trained is refused, never left out. Sources: llama.cpp's src/models and the GGUF specification.
/// </summary>
internal static class GgufArchitecture
{
    // In llama.cpp a constant of the family, not a key.
    private const int LayersPerPlainLayer = 4;

    /// <summary><c>general.architecture</c>; Mistral is Llama there.</summary>
    public static string NameOf(DecoderArchitecture a) => a.ModelType == "mistral" ? "llama" : a.ModelType;

    /// <summary>Whether its rotary embedding turns neighbouring rows of a head.</summary>
    public static bool IsInterleaved(DecoderArchitecture a) => NameOf(a) is "llama" or "smollm3";

    /// <exception cref="InvalidDataException">llama.cpp cannot compute it; gives every reason.</exception>
    public static void Require(DecoderArchitecture a)
    {
        a.Validate();
        string[] reasons = [.. Reasons(a)];
        if (reasons.Length > 0)
            throw new InvalidDataException($"llama.cpp cannot compute this model as it was trained: {string.Join("; ", reasons)}.");
    }

    public static void Describe(GgufMetadata metadata, DecoderArchitecture a)
    {
        string name = NameOf(a);
        metadata.Add($"{name}.vocab_size", a.VocabularySize);
        metadata.Add($"{name}.context_length", a.MaxPositions);
        metadata.Add($"{name}.embedding_length", a.HiddenSize);
        metadata.Add($"{name}.block_count", a.Layers);
        metadata.Add($"{name}.feed_forward_length", a.IntermediateSize);
        metadata.Add($"{name}.attention.head_count", a.Heads);
        metadata.Add($"{name}.attention.head_count_kv", a.KeyValueHeads);
        metadata.Add($"{name}.attention.key_length", a.HeadSize);
        metadata.Add($"{name}.attention.value_length", a.HeadSize);
        metadata.Add($"{name}.attention.layer_norm_rms_epsilon", a.RmsNormEpsilon);
        metadata.Add($"{name}.rope.dimension_count", a.HeadSize);
        metadata.Add($"{name}.rope.freq_base", a.RopeTheta);
        Scaling(metadata, $"{name}.rope.scaling", a);
    }

    /// <summary>Whether frequencies are divided one by one by a tensor, because there is no key for their scaling.</summary>
    public static bool HasRotaryFactors(DecoderArchitecture a) => a.RotaryScaling switch
    {
        Llama3Rotary => true,
        // The keys of the ramp are there, but read for other families only.
        YarnRotary yarn => !yarn.Truncate || yarn.BetaFast != YarnRotary.DefaultBetaFast || yarn.BetaSlow != YarnRotary.DefaultBetaSlow,
        _ => false,
    };

    private static void Scaling(GgufMetadata metadata, string at, DecoderArchitecture a)
    {
        switch (a.RotaryScaling)
        {
            case YarnRotary yarn when HasRotaryFactors(a):
                metadata.Add($"{at}.type", "none");
                metadata.Add($"{at}.attn_factor", yarn.AttentionScale);
                break;
            case LinearRotary linear:
                metadata.Add($"{at}.type", "linear");
                metadata.Add($"{at}.factor", linear.Factor);
                break;
            case YarnRotary yarn:
                metadata.Add($"{at}.type", "yarn");
                metadata.Add($"{at}.factor", yarn.Factor);
                metadata.Add($"{at}.original_context_length", yarn.OriginalPositions);
                // llama.cpp multiplies cosines and sines by the paper's factor of itself; the key is what comes on top.
                metadata.Add($"{at}.attn_factor", yarn.AttentionScale / YarnRotary.DefaultAttentionScale(yarn.Factor));
                break;
        }
    }

    private static IEnumerable<string> Reasons(DecoderArchitecture a)
    {
        if (a.ModelType is not ("llama" or "mistral" or "qwen2" or "qwen3" or "smollm3"))
        {
            yield return $"model_type '{a.ModelType}' is not one of llama, mistral, qwen2, qwen3, smollm3";
            yield break;
        }

        bool isLlama = NameOf(a) == "llama";
        if (a.SlidingWindow is { } window && window < a.MaxPositions)
            yield return $"it has no sliding window for {NameOf(a)}, and {a.WindowLayers.Count} of {a.Layers} layers of this model see "
                + $"{window:N0} of {a.MaxPositions:N0} positions (with max_position_embeddings {window} in config.json it hides nothing)";
        if (a.AttentionBias && a.ModelType is not ("llama" or "mistral" or "qwen2"))
            yield return $"it has no biases on queries, keys and values for {NameOf(a)}";
        if (a.AttentionOutputBias && !isLlama) yield return $"it has no bias on the attention's output for {NameOf(a)}";
        if (a.FeedForwardBias && !isLlama) yield return $"it has no biases in the feed-forward for {NameOf(a)}";
        var plain = a.ModelType == "smollm3" ? LayerSet.Where(a.Layers, layer => (layer + 1) % LayersPerPlainLayer == 0) : LayerSet.None;
        if (!a.PlainLayers.Equals(plain))
            yield return $"its layers without rotary embedding are {plain} in {NameOf(a)}, and here they are {a.PlainLayers}";
        if (HasRotaryFactors(a) && !isLlama)
            yield return $"for {NameOf(a)} it knows rotary scaling linear and yarn with beta_fast 32 and beta_slow 1, not this "
                + a.RotaryScaling.TypeName;
    }
}
