using Distill.Architecture;

namespace Distill.Export.Tests.Support;

/// <summary>Decoders with random weights: norms away from 1 and biases away from 0, so that a forgotten one shows.</summary>
internal static class TinyModels
{
    public static DecoderArchitecture Qwen3 { get; } = new()
    {
        ModelType = "qwen3", VocabularySize = 50, HiddenSize = 32, Layers = 2, Heads = 4, KeyValueHeads = 2, HeadSize = 16,
        IntermediateSize = 48, MaxPositions = 64,
        EosTokenId = 1, PadTokenId = 0,
    };

    public static IReadOnlyList<string> Families { get; } =
        ["qwen3", "qwen2", "llama", "llama-bias", "mistral", "smollm3", "qwen2-window", "linear", "llama3", "yarn"];

    /// <summary>The same sizes in another family, or in one with a feature of its own.</summary>
    public static DecoderArchitecture Family(string name) => name switch
    {
        "qwen3" => Qwen3,
        "llama-bias" => Llama with { AttentionBias = true, AttentionOutputBias = true, FeedForwardBias = true },
        "mistral" => Llama with { ModelType = "mistral", SlidingWindow = 5, WindowLayers = LayerSet.From(0, 2) },
        "smollm3" => Llama with { ModelType = "smollm3", PlainLayers = new([1]), TieEmbeddings = true },
        "qwen2" => Qwen2,
        "qwen2-window" => Qwen2 with { SlidingWindow = 5, WindowLayers = new([1]) },
        "linear" => Llama with { RotaryScaling = new LinearRotary(2) },
        "llama3" => Llama with { RotaryScaling = new Llama3Rotary(4, 1, 4, 16) },
        "yarn" => Llama with { RotaryScaling = new YarnRotary(4, 16, 1.25) },
        _ => Llama,
    };

    private static DecoderArchitecture Llama => Qwen3 with { ModelType = "llama", QueryKeyNorm = false, TieEmbeddings = false };

    private static DecoderArchitecture Qwen2 => Qwen3 with { ModelType = "qwen2", QueryKeyNorm = false, AttentionBias = true };

    public static WeightSet Weights(DecoderArchitecture architecture, int seed = 1)
    {
        var random = new Random(seed);
        float Value(ParameterSpec parameter) => parameter.Name.EndsWith("norm.weight", StringComparison.Ordinal)
            ? 0.5f + random.NextSingle()
            : (random.NextSingle() - 0.5f) * 4 / MathF.Sqrt(parameter.Shape[^1]);
        float[] Values(ParameterSpec parameter) => [.. Enumerable.Range(0, (int)parameter.Count).Select(_ => Value(parameter))];
        return new(architecture, ParameterMap.For(architecture).ToDictionary(parameter => parameter.Name, Values));
    }

    public static TokenizerFiles Tokenizer(int tokens)
    {
        string vocabulary = "{" + string.Join(",", Enumerable.Range(0, tokens - 2).Select(i => $"\"t{i}\":{i}")) + "}";
        string json = $$"""
            {"model":{"type":"BPE","vocab":{{vocabulary}},"merges":[]},
             "added_tokens":[{"id":{{tokens - 2}},"content":"<think>"},{"id":{{tokens - 1}},"content":"</think>"}]}
            """;
        return new(System.Text.Encoding.UTF8.GetBytes(json), "{\"tokenizer_class\":\"PreTrainedTokenizerFast\"}"u8.ToArray(),
            "{{ messages }}"u8.ToArray());
    }
}
