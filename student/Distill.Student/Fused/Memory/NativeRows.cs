using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace Distill.Student.Fused;

/// <summary>
/// Rows of a contiguous CPU matrix, fp32 or bf16, read and written as fp32: kernels compute in fp32 whatever the storage.
/// A view: valid while its tensor lives.
/// </summary>
internal readonly unsafe struct NativeRows
{
    private readonly byte* data;
    private readonly bool half;

    public NativeRows(Tensor matrix)
    {
        data = (byte*)PointerOf(matrix);
        half = matrix.dtype == ScalarType.BFloat16;
        Columns = (int)matrix.shape[^1];
    }

    public int Columns { get; }

    /// <summary>The first value: all that is asked for, because TorchSharp shows no tensor of more bytes than an int counts.</summary>
    public static float* PointerOf(Tensor tensor)
    {
        if (tensor.numel() <= int.MaxValue / sizeof(double)) return FirstOf(tensor);
        using Tensor flat = tensor.view(-1), first = flat.narrow(0, 0, 1);
        return FirstOf(first);
    }

    private static float* FirstOf(Tensor tensor) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));

    public void Load(int row, Span<float> target) => Load(row, 0, target);

    public void Load(int row, int column, Span<float> target)
    {
        long offset = (long)row * Columns + column;
        if (half) Widen((ushort*)data + offset, target);
        else new ReadOnlySpan<float>((float*)data + offset, target.Length).CopyTo(target);
    }

    public void Store(int row, ReadOnlySpan<float> source) => Store(row, 0, source);

    public void Store(int row, int column, ReadOnlySpan<float> source)
    {
        long offset = (long)row * Columns + column;
        if (half) Narrow(source, (ushort*)data + offset);
        else source.CopyTo(new Span<float>((float*)data + offset, source.Length));
    }

    public float this[int row, int column]
    {
        get
        {
            float value = 0;
            Load(row, column, new Span<float>(ref value));
            return value;
        }
        set => Store(row, column, new ReadOnlySpan<float>(in value));
    }

    /// <summary>Sixteen neighbours of a row.</summary>
    public Vector512<float> Load16(int row, int column)
    {
        long offset = (long)row * Columns + column;
        return half ? (Vector512.WidenLower(Vector256.Load((ushort*)data + offset).ToVector512Unsafe()) << 16).AsSingle()
            : Vector512.Load((float*)data + offset);
    }

    /// <summary>Sixteen neighbours of a row, rounded to nearest in bf16.</summary>
    public void Store16(int row, int column, Vector512<float> values)
    {
        long offset = (long)row * Columns + column;
        if (half) Vector512.Narrow(Rounded(values), Vector512<uint>.Zero).GetLower().Store((ushort*)data + offset);
        else values.Store((float*)data + offset);
    }

    private static void Widen(ushort* source, Span<float> target)
    {
        fixed (float* destination = target)
        {
            int i = 0;
            for (; i + 32 <= target.Length; i += 32)
            {
                var (low, high) = Vector512.Widen(Vector512.Load(source + i));
                (low << 16).AsSingle().Store(destination + i);
                (high << 16).AsSingle().Store(destination + i + 16);
            }

            for (; i < target.Length; i++) destination[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }
    }

    /// <summary>
    /// Round to nearest, ties to even. Infinity stays; a NaN keeps its quiet bit because its mantissa is never all ones below it.
    /// </summary>
    public static void Narrow(ReadOnlySpan<float> source, ushort* destination)
    {
        fixed (float* values = source)
        {
            int i = 0;
            for (; i + 32 <= source.Length; i += 32)
                Vector512.Narrow(Rounded(Vector512.Load(values + i)), Rounded(Vector512.Load(values + i + 16))).Store(destination + i);
            for (; i < source.Length; i++)
            {
                uint bits = BitConverter.SingleToUInt32Bits(values[i]);
                destination[i] = (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
            }
        }
    }

    private static Vector512<uint> Rounded(Vector512<float> values)
    {
        var bits = values.AsUInt32();
        return (bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One)) >>> 16;
    }
}
