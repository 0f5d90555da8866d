namespace Distill.Architecture;

/// <summary>How a family decides which layers have a sliding window.</summary>
internal enum WindowRule
{
    /// <summary>It has none.</summary>
    Never,

    /// <summary>All of them, whenever a window is set (Mistral).</summary>
    Always,

    /// <summary>Where <c>use_sliding_window</c> says so, from layer <c>max_window_layers</c> on (Qwen).</summary>
    UpperLayers,

    /// <summary>Where <c>use_sliding_window</c> says so, the layers without rotary embedding (SmolLM3).</summary>
    PlainLayers,
}

/// <summary>
/// What a Hugging Face <c>model_type</c> implies beyond its configuration file. Defaults are those of the classes in
/// transformers, which leave a value out of the file's meaning when the file leaves it out.
/// </summary>
internal sealed record DecoderFamily(string ModelType, string ClassName)
{
    public bool QueryKeyNorm { get; init; }

    /// <summary>Biases on queries, keys and values, always; never on the output.</summary>
    public bool AlwaysAttentionBias { get; init; }

    /// <summary><c>attention_bias</c> means something: biases on all four projections.</summary>
    public bool MayAttentionBias { get; init; }

    /// <summary><c>mlp_bias</c> means something.</summary>
    public bool MayFeedForwardBias { get; init; }

    public double RopeTheta { get; init; } = 10_000;

    public bool TieEmbeddings { get; init; }

    /// <summary>Head size when the file gives none; null: hidden size / heads.</summary>
    public int? HeadSize { get; init; }

    public WindowRule Window { get; init; }

    /// <summary>The sliding window of a family that slides when the file says nothing.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Every n-th layer has no rotary embedding; 0: none of them.</summary>
    public int LayersPerPlainLayer { get; init; }

    public static IReadOnlyList<DecoderFamily> All { get; } =
    [
        new("qwen3", "Qwen3ForCausalLM") { QueryKeyNorm = true, MayAttentionBias = true, HeadSize = 128, Window = WindowRule.UpperLayers,
        SlidingWindow = 4096 },
        new("qwen2", "Qwen2ForCausalLM") { AlwaysAttentionBias = true, Window = WindowRule.UpperLayers, SlidingWindow = 4096 },
        new("llama", "LlamaForCausalLM") { MayAttentionBias = true, MayFeedForwardBias = true },
        new("mistral", "MistralForCausalLM") { Window = WindowRule.Always, SlidingWindow = 4096 },
        new("smollm3", "SmolLM3ForCausalLM")
        {
            RopeTheta = 2_000_000, TieEmbeddings = true, LayersPerPlainLayer = 4, MayAttentionBias = true, MayFeedForwardBias = true,
                Window = WindowRule.PlainLayers,
        },
    ];

    public static DecoderFamily? Find(string? modelType) => All.FirstOrDefault(family => family.ModelType == modelType);

    /// <summary>Why a configuration of this family cannot describe an architecture; null when it can.</summary>
    public string? Contradiction(DecoderArchitecture a)
    {
        if (a.QueryKeyNorm != QueryKeyNorm) return $"query-key norm {a.QueryKeyNorm}";
        if (AlwaysAttentionBias ? !a.AttentionBias || a.AttentionOutputBias : a.AttentionBias != a.AttentionOutputBias
            || (a.AttentionBias && !MayAttentionBias))
            return $"bias on queries, keys and values {a.AttentionBias}, on the attention's output {a.AttentionOutputBias}";
        if (a.FeedForwardBias && !MayFeedForwardBias) return "bias in the feed-forward";
        if (a.PlainLayers.Count > 0 && LayersPerPlainLayer == 0) return $"layers without rotary embedding ({a.PlainLayers})";
        bool windows = Window switch
        {
            WindowRule.Never => a.WindowLayers.Count == 0,
            WindowRule.Always => a.WindowLayers.Count == 0 || a.WindowLayers.Count == a.Layers,
            _ => true, // layer_types names each layer
        };
        return windows ? null : $"a sliding window in layers {a.WindowLayers}";
    }
}
