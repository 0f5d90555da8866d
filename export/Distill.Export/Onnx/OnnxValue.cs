namespace Distill.Export.Onnx;

/// <summary>An input or output of the graph.</summary>
public sealed record OnnxValue(string Name, OnnxElementType Type, IReadOnlyList<OnnxDimension> Shape);
