using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// What the engine needs to know of a model beside its graph: read from genai_config.json, or from the config.json of a folder
/// without one. Every value is in range; <c>search</c> and session options are not read.
/// </summary>
/// <param name="Type">
/// Architecture word: one of the decoder-only ones of ONNX Runtime GenAI, or the <c>model_type</c> of config.json.
/// </param>
/// <param name="GraphFile">ONNX file, relative to the folder.</param>
/// <param name="EosTokenIds">
/// Any of them ends a completion; may be empty without genai_config.json. <see cref="ModelFolder.LoadEncoder"/> knows those of every file.
/// </param>
/// <param name="ReasoningStartTokenId"><c>bor_token_id</c>: opens the reasoning.</param>
/// <param name="ReasoningEndTokenId"><c>eor_token_id</c>: closes it.</param>
internal sealed record GenAIConfiguration(
    string Type,
    string GraphFile,
    int VocabularySize,
    int ContextLength,
    int Layers,
    int Heads,
    int KeyValueHeads,
    int HeadSize,
    IReadOnlyList<int> EosTokenIds,
    int? BosTokenId,
    int? PadTokenId,
    int? ReasoningStartTokenId,
    int? ReasoningEndTokenId,
    GraphNames Names)
{
    /// <summary>Null when every layer attends to everything.</summary>
    public SlidingWindow? SlidingWindow { get; init; }

    /// <summary>Name of the file that all this was read from, for messages.</summary>
    public string SourceFile { get; init; } = ModelFolder.ConfigurationFile;

    /// <exception cref="InvalidDataException">Names the file, the key, the value and the range.</exception>
    public static GenAIConfiguration Load(string path) => GenAIConfigurationReader.Read(path);

    /// <summary>
    /// What a session of such a model would take, without looking at the graph: for one whose cache is shared, as the official
    /// builder's and this project's are. <see cref="ModelFolder.MemoryOf"/> knows better.
    /// </summary>
    /// <param name="slots">At least 1.</param>
    /// <param name="maxLength">Tokens per slot, at least 2.</param>
    /// <param name="half">Cache and logits are float16 instead of float32.</param>
    public SessionMemory MemoryOf(int slots, int maxLength, bool half = false)
    {
        var type = half ? TensorElementType.Float16 : TensorElementType.Float;
        return CacheLayout.Of(this, type, type, grows: false).MemoryOf(slots, maxLength);
    }
}

/// <summary>
/// Layers that attend to the last tokens only and whose cache buffer must hold at least these (<c>sliding_window</c> of genai_config.json).
/// </summary>
/// <param name="Size">Tokens.</param>
/// <param name="Layers">Their numbers, each below the number of layers.</param>
internal sealed record SlidingWindow(int Size, IReadOnlyList<int> Layers);

/// <summary>Names of a decoder graph's inputs and outputs; cache names are patterns with one <c>%d</c> for the layer.</summary>
internal sealed record GraphNames
{
    public string InputIds { get; init; } = "input_ids";

    public string AttentionMask { get; init; } = "attention_mask";

    public string PositionIds { get; init; } = "position_ids";

    public string PastKey { get; init; } = "past_key_values.%d.key";

    public string PastValue { get; init; } = "past_key_values.%d.value";

    public string Logits { get; init; } = "logits";

    public string PresentKey { get; init; } = "present.%d.key";

    public string PresentValue { get; init; } = "present.%d.value";

    /// <summary>Names of a cache buffer, counted as keys and values of each layer in turn.</summary>
    internal (string Past, string Present) CacheNames(int buffer) => buffer % 2 == 0
        ? (Of(PastKey, buffer / 2), Of(PresentKey, buffer / 2))
        : (Of(PastValue, buffer / 2), Of(PresentValue, buffer / 2));

    internal static string Of(string pattern, int layer) => pattern.Replace("%d", layer.ToString(), StringComparison.Ordinal);
}
