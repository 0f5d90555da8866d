namespace Distill.Export.Onnx;

/// <summary>A fixed size, or the name of one that is known only at run time.</summary>
public readonly record struct OnnxDimension
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
