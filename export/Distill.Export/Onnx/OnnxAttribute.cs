namespace Distill.Export.Onnx;

/// <summary>A named constant of a node: exactly one of the values is set.</summary>
public sealed record OnnxAttribute
{
    public required string Name { get; init; }

    public long? Integer { get; init; }

    public float? Single { get; init; }

    public IReadOnlyList<long>? Integers { get; init; }

    public static OnnxAttribute Of(string name, long value) => new() { Name = name, Integer = value };

    public static OnnxAttribute Of(string name, float value) => new() { Name = name, Single = value };

    public static OnnxAttribute Of(string name, IReadOnlyList<long> values) => new() { Name = name, Integers = values };
}
