namespace Distill.Export.Onnx;

/// <summary>One operation. An empty name among inputs or outputs stands for one that is not given.</summary>
/// <param name="Domain">Empty: the ONNX standard. <c>com.microsoft</c>: ONNX Runtime's own operators.</param>
public sealed record OnnxNode(
    string Operator, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, IReadOnlyList<OnnxAttribute> Attributes, string Domain = "");
