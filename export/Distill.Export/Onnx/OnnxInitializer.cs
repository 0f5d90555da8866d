using Distill.Architecture;

namespace Distill.Export.Onnx;

/// <summary>Puts rows (slices along the first dimension) of a constant into <paramref name="target"/>, from <paramref name="firstRow"/> until it is full.</summary>
public delegate void FillRows(WeightSet weights, int firstRow, Span<byte> target);

/// <summary>
/// A constant of the graph whose bytes are made from the weights when they are needed, some rows at a time, so that writing
/// a model never holds a second copy of it.
/// </summary>
public sealed record OnnxInitializer(string Name, OnnxElementType Type, IReadOnlyList<long> Shape, FillRows Fill)
{
    /// <summary>Constants up to this size stay in the model file: shapes and scalars that graph optimisation wants to see.</summary>
    private const int SmallBytes = 64;

    /// <summary>False for what follows from the architecture alone.</summary>
    public bool IsWeight { get; init; } = true;

    public long ByteCount => Shape.Aggregate((long)ElementBytes, (product, size) => checked(product * size));

    /// <summary>Bytes of one slice along the first dimension.</summary>
    public long RowBytes => Shape is [> 0, ..] ? ByteCount / Shape[0] : ByteCount;

    public bool IsSmall => ByteCount <= SmallBytes;

    private int ElementBytes => Type switch
    {
        OnnxElementType.Float or OnnxElementType.Int32 => 4,
        OnnxElementType.UInt8 => 1,
        OnnxElementType.Int64 => 8,
        OnnxElementType.Float16 => 2,
        _ => throw new InvalidOperationException($"No width for {Type}."),
    };
}
