using Distill.Architecture;

namespace Distill.Export.Onnx;

/// <summary>A graph ready to be written: nodes in an order in which each finds its inputs made.</summary>
internal sealed record OnnxModel
{
    /// <summary>What ONNX Runtime 1.31 and the runtimes of GenAI and transformers.js all read.</summary>
    public const int IrVersion = 10, Opset = 21;

    public required string Name { get; init; }

    public required IReadOnlyList<OnnxValue> Inputs { get; init; }

    public required IReadOnlyList<OnnxValue> Outputs { get; init; }

    public required IReadOnlyList<OnnxNode> Nodes { get; init; }

    public required IReadOnlyList<OnnxInitializer> Initializers { get; init; }

    /// <summary>Nodes of the standard domain alone: no other is announced.</summary>
    public bool IsStandard { get; init; }
}

/// <summary>An input or output of the graph.</summary>
internal sealed record OnnxValue(string Name, OnnxElementType Type, IReadOnlyList<OnnxDimension> Shape);

/// <summary>A fixed size, or the name of one that is known only at run time.</summary>
internal readonly record struct OnnxDimension
{
    private OnnxDimension(long size, string? symbol)
    {
        Size = size;
        Symbol = symbol;
    }

    public long Size { get; }

    public string? Symbol { get; }

    public static implicit operator OnnxDimension(long size) => new(size, null);

    public static implicit operator OnnxDimension(string symbol) => new(0, symbol);

    public static OnnxDimension FromInt64(long size) => size;

    public static OnnxDimension FromString(string symbol) => symbol;
}

/// <summary>TensorProto.DataType, as far as it is used here.</summary>
internal enum OnnxElementType
{
    Float = 1,
    UInt8 = 2,
    Int8 = 3,
    Int32 = 6,
    Int64 = 7,
    Boolean = 9,
    Float16 = 10,
    BFloat16 = 16,
    Int4 = 22,
}

/// <summary>One operation. An empty name among inputs or outputs stands for one that is not given.</summary>
/// <param name="Domain">Empty: the ONNX standard. <c>com.microsoft</c>: ONNX Runtime's own operators.</param>
internal sealed record OnnxNode(
    string Operator, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, IReadOnlyList<OnnxAttribute> Attributes,
    string Domain = "");

/// <summary>A named constant of a node: exactly one of the values is set.</summary>
internal sealed record OnnxAttribute
{
    public required string Name { get; init; }

    public long? Integer { get; init; }

    public float? Single { get; init; }

    public IReadOnlyList<long>? Integers { get; init; }

    public static OnnxAttribute Of(string name, long value) => new() { Name = name, Integer = value };

    public static OnnxAttribute Of(string name, float value) => new() { Name = name, Single = value };

    public static OnnxAttribute Of(string name, IReadOnlyList<long> values) => new() { Name = name, Integers = values };
}

/// <summary>
/// Puts rows (slices along the first dimension) of a constant into <paramref name="target"/>, from <paramref name="firstRow"/>
/// until it is full.
/// </summary>
internal delegate void FillRows(WeightSet weights, int firstRow, Span<byte> target);

/// <summary>
/// A constant of the graph whose bytes are made from the weights when they are needed, some rows at a time, so that writing
/// a model never holds a second copy of it.
/// </summary>
internal sealed record OnnxInitializer(string Name, OnnxElementType Type, IReadOnlyList<long> Shape, FillRows Fill)
{
    /// <summary>Constants up to this size stay in the model file: shapes and scalars that graph optimisation wants to see.</summary>
    private const int SmallBytes = 64;

    /// <summary>
    /// The parameters whose values it is as they are stored, but for rounding: one after the other, as <see cref="ParameterMap"/> has them.
    /// Empty for what is made in another way.
    /// </summary>
    public IReadOnlyList<ParameterSpec> Stored { get; init; } = [];

    /// <summary>False for what follows from the architecture alone.</summary>
    public bool IsWeight { get; init; } = true;

    public long ByteCount => Shape.Aggregate((long)ElementBits, (product, size) => checked(product * size)) / 8;

    /// <summary>Bytes of one slice along the first dimension.</summary>
    public long RowBytes => Shape is [> 0, ..] ? ByteCount / Shape[0] : ByteCount;

    public bool IsSmall => ByteCount <= SmallBytes;

    private int ElementBits => Type switch
    {
        OnnxElementType.Int4 => 4,
        OnnxElementType.UInt8 or OnnxElementType.Int8 => 8,
        OnnxElementType.Float16 or OnnxElementType.BFloat16 => 16,
        OnnxElementType.Float or OnnxElementType.Int32 => 32,
        OnnxElementType.Int64 => 64,
        _ => throw new InvalidOperationException($"No width for {Type}."),
    };
}
