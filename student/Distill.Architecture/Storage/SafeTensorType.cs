namespace Distill.Architecture;

/// <summary>Element types of the safetensors format that have a whole number of bytes.</summary>
public enum SafeTensorType
{
    Boolean,
    UInt8,
    Int8,
    Float8E4M3,
    Float8E5M2,
    Int16,
    UInt16,
    Float16,
    BFloat16,
    Int32,
    UInt32,
    Float32,
    Int64,
    UInt64,
    Float64,
}

/// <summary>Spelling and width of each <see cref="SafeTensorType"/> in a file header.</summary>
internal static class SafeTensorTypes
{
    private static readonly (SafeTensorType Type, string Name, int Bytes)[] Table =
    [
        (SafeTensorType.Boolean, "BOOL", 1),
        (SafeTensorType.UInt8, "U8", 1),
        (SafeTensorType.Int8, "I8", 1),
        (SafeTensorType.Float8E4M3, "F8_E4M3", 1),
        (SafeTensorType.Float8E5M2, "F8_E5M2", 1),
        (SafeTensorType.Int16, "I16", 2),
        (SafeTensorType.UInt16, "U16", 2),
        (SafeTensorType.Float16, "F16", 2),
        (SafeTensorType.BFloat16, "BF16", 2),
        (SafeTensorType.Int32, "I32", 4),
        (SafeTensorType.UInt32, "U32", 4),
        (SafeTensorType.Float32, "F32", 4),
        (SafeTensorType.Int64, "I64", 8),
        (SafeTensorType.UInt64, "U64", 8),
        (SafeTensorType.Float64, "F64", 8),
    ];

    /// <summary>The name used in a header, such as <c>BF16</c>.</summary>
    public static string HeaderName(this SafeTensorType type) => Table[(int)type].Name;

    /// <summary>Bytes per element.</summary>
    public static int Bytes(this SafeTensorType type) => Table[(int)type].Bytes;

    /// <summary>Null for a name that the format (or this reader) does not know.</summary>
    public static SafeTensorType? Parse(string headerName)
    {
        foreach (var row in Table)
            if (row.Name == headerName) return row.Type;
        return null;
    }
}

/// <summary>
/// One tensor of a safetensors file. <paramref name="Begin"/> and <paramref name="End"/> count bytes from the start of the data.
/// </summary>
internal sealed record SafeTensorEntry(string Name, SafeTensorType Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>Number of elements.</summary>
    public long Count => (End - Begin) / Type.Bytes();

    public string ShapeText => "[" + string.Join(", ", Shape) + "]";
}
