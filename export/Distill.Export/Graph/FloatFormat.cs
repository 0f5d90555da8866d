using System.Runtime.InteropServices;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>How floating constants are stored.</summary>
internal enum FloatFormat
{
    Single,
    Half,
}

internal static class FloatFormats
{
    public static OnnxElementType Type(this FloatFormat format) => format == FloatFormat.Single ? OnnxElementType.Float : OnnxElementType.Float16;

    public static int Bytes(this FloatFormat format) => format == FloatFormat.Single ? 4 : 2;

    /// <summary>Values, row-major, into their stored form; halves round to nearest even.</summary>
    public static void Store(this FloatFormat format, ReadOnlySpan<float> values, Span<byte> target)
    {
        if (format == FloatFormat.Single)
        {
            MemoryMarshal.AsBytes(values).CopyTo(target);
            return;
        }

        var halves = MemoryMarshal.Cast<byte, Half>(target);
        for (int i = 0; i < values.Length; i++) halves[i] = (Half)values[i];
    }
}
