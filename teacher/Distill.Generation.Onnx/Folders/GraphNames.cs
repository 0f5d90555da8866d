namespace Distill.Generation.Onnx;

/// <summary>Names of a decoder graph's inputs and outputs; cache names are patterns with one <c>%d</c> for the layer.</summary>
public sealed record GraphNames
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
