using System.Runtime.InteropServices;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static TorchSharp.torch;

namespace Distill.Generation.Torch.Memory;

/// <summary>
/// A contiguous tensor in a device's memory that ONNX Runtime reads and writes in place, by pointer. Its address never changes. Whoever
/// created it disposes it, after every view.
/// </summary>
internal sealed partial class BoundTensor : IDisposable
{
    private readonly SharedDevice device;
    private readonly nint address;
    private readonly bool owned;

    /// <summary>A new tensor of zeros.</summary>
    public BoundTensor(SharedDevice device, TensorElementType type, params ReadOnlySpan<long> shape)
        : this(device, zeros(shape, ScalarTypeOf(type), device.Device).DetachFromDisposeScope(), owned: true)
    {
    }

    /// <summary>A tensor that stays the caller's, who keeps it alive and does not resize it.</summary>
    public static BoundTensor Of(SharedDevice device, Tensor tensor) => new(device, tensor, owned: false);

    private BoundTensor(SharedDevice device, Tensor tensor, bool owned)
    {
        if (!tensor.is_contiguous()) throw new ArgumentException("Only a contiguous tensor can be bound by its address.", nameof(tensor));
        this.device = device;
        this.owned = owned;
        Tensor = tensor;
        Type = ElementTypeOf(tensor.dtype);
        address = AddressOf(tensor.Handle);
    }

    public Tensor Tensor { get; }

    public TensorElementType Type { get; }

    public long Bytes => Tensor.NumberOfElements * CacheLayout.SizeOf(Type);

    /// <summary>Part of the tensor for ONNX Runtime; dispose it before the tensor.</summary>
    /// <param name="offset">In elements.</param>
    public OrtValue View(long offset, params ReadOnlySpan<long> shape)
    {
        long count = 1;
        foreach (long size in shape) count = checked(count * size);
        if (offset < 0 || offset + count > Tensor.NumberOfElements)
            throw new ArgumentOutOfRangeException(nameof(offset), "The view leaves the tensor.");
        long bytes = CacheLayout.SizeOf(Type);
        return OrtValue.CreateTensorValueWithData(
            device.Memory, Type, shape.ToArray(), address + (nint)(offset * bytes), count * bytes);
    }

    public void Dispose()
    {
        if (owned) Tensor.Dispose();
    }

    internal static ScalarType ScalarTypeOf(TensorElementType type) => type switch
    {
        TensorElementType.Float => ScalarType.Float32,
        TensorElementType.Float16 => ScalarType.Float16,
        TensorElementType.BFloat16 => ScalarType.BFloat16,
        TensorElementType.Int64 => ScalarType.Int64,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type that sessions bind."),
    };

    private static TensorElementType ElementTypeOf(ScalarType type) => type switch
    {
        ScalarType.Float32 => TensorElementType.Float,
        ScalarType.Float16 => TensorElementType.Float16,
        ScalarType.BFloat16 => TensorElementType.BFloat16,
        ScalarType.Int64 => TensorElementType.Int64,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type that sessions bind."),
    };

    // TorchSharp 0.107 has no way to the address of a 16-bit tensor: Storage.data_ptr() gives that of a converted copy. Its native library,
    // which is loaded as soon as there is a tensor, has one for every type and device.
    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]
    private static partial nint AddressOf(nint tensor);
}
