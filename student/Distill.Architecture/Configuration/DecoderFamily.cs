namespace Distill.Architecture;

/// <summary>
/// What a Hugging Face <c>model_type</c> implies beyond its configuration file. Defaults are those of the classes in
/// transformers, which leave a value out of the file's meaning when the file leaves it out.
/// </summary>
internal sealed record DecoderFamily(string ModelType, string ClassName)
{
    public bool QueryKeyNorm { get; init; }

    /// <summary>Biases on queries, keys and values, always.</summary>
    public bool AttentionBias { get; init; }

    public double RopeTheta { get; init; } = 10_000;

    public bool TieEmbeddings { get; init; }

    /// <summary>Head size when the file gives none; null: hidden size / heads.</summary>
    public int? HeadSize { get; init; }

    /// <summary>The sliding window when the file says nothing; the family slides without being told to.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Every n-th layer has no rotary embedding; 0: none of them.</summary>
    public int LayersPerPlainLayer { get; init; }

    public static IReadOnlyList<DecoderFamily> All { get; } =
    [
        new("qwen3", "Qwen3ForCausalLM") { QueryKeyNorm = true, HeadSize = 128 },
        new("qwen2", "Qwen2ForCausalLM") { AttentionBias = true },
        new("llama", "LlamaForCausalLM"),
        new("mistral", "MistralForCausalLM") { SlidingWindow = 4096 },
        new("smollm3", "SmolLM3ForCausalLM") { RopeTheta = 2_000_000, TieEmbeddings = true, LayersPerPlainLayer = 4 },
    ];

    public static DecoderFamily? Find(string? modelType) => All.FirstOrDefault(family => family.ModelType == modelType);
}
