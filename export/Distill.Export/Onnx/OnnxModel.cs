namespace Distill.Export.Onnx;

/// <summary>A graph ready to be written: nodes in an order in which each finds its inputs made.</summary>
public sealed record OnnxModel
{
    /// <summary>What ONNX Runtime 1.31 and the runtimes of GenAI and transformers.js all read.</summary>
    public const int IrVersion = 10, Opset = 21;

    public required string Name { get; init; }

    public required IReadOnlyList<OnnxValue> Inputs { get; init; }

    public required IReadOnlyList<OnnxValue> Outputs { get; init; }

    public required IReadOnlyList<OnnxNode> Nodes { get; init; }

    public required IReadOnlyList<OnnxInitializer> Initializers { get; init; }
}
