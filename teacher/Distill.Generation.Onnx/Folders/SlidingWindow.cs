namespace Distill.Generation.Onnx;

/// <summary>Layers that attend to the last tokens only and whose cache buffer must hold at least these (<c>sliding_window</c> of genai_config.json).</summary>
/// <param name="Size">Tokens.</param>
/// <param name="Layers">Their numbers, each below the number of layers.</param>
public sealed record SlidingWindow(int Size, IReadOnlyList<int> Layers);
