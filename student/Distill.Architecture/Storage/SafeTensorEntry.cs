namespace Distill.Architecture;

/// <summary>One tensor of a safetensors file. <paramref name="Begin"/> and <paramref name="End"/> count bytes from the start of the data.</summary>
public sealed record SafeTensorEntry(string Name, SafeTensorType Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>Number of elements.</summary>
    public long Count => (End - Begin) / Type.Bytes();

    public string ShapeText => "[" + string.Join(", ", Shape) + "]";
}
