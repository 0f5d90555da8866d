namespace Distill.Export.Parity;

/// <summary>A prompt, the tokens the exported model chose after it, and the logits it chose each of them from, [vocab] each.</summary>
internal sealed record GreedyRow(IReadOnlyList<int> Prompt, List<int> Tokens, List<float[]> Logits);
