using Distill.Architecture;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// The bytes of flat fp32 values between any device and a file, a piece at a time: whatever the model's size, no more than a piece is held
/// twice.
/// </summary>
internal static class TensorBytes
{
    private const long Piece = 1 << 24; // values; 64 MB

    public static void ForEach(Tensor values, Action<ReadOnlySpan<byte>> take)
    {
        using var without = no_grad();
        for (long start = 0; start < values.numel(); start += Piece)
        {
            using var scope = NewDisposeScope();
            take(values.narrow(0, start, Math.Min(Piece, values.numel() - start)).cpu().contiguous().bytes);
        }
    }

    /// <summary>The values as a tensor of a safetensors file.</summary>
    public static SafeTensor ToStore(string name, Tensor values) => new(
        name, SafeTensorType.Float32, [values.numel()], stream => ForEach(values, bytes => stream.Write(bytes)));

    /// <exception cref="InvalidDataException">The file has no such tensor of singles, or another number of values.</exception>
    public static void RequireFits(SafeTensorsFile file, string name, Tensor target)
    {
        var entry = file.Entry(name);
        if (entry.Type != SafeTensorType.Float32)
            throw new InvalidDataException($"'{name}' of '{file.File}' is {entry.Type}; {SafeTensorType.Float32} is read");
        if (entry.Count != target.numel())
            throw new InvalidDataException($"'{name}' of '{file.File}' has {entry.Count} values; this model has {target.numel()}");
    }

    /// <summary>Fills values from a safetensors file.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor, or it has another number of values.</exception>
    public static void Read(SafeTensorsFile file, string name, Tensor target)
    {
        RequireFits(file, name, target);
        long found = target.numel();
        using var without = no_grad();
        for (long start = 0; start < found; start += Piece)
        {
            using var scope = NewDisposeScope();
            var piece = empty([Math.Min(Piece, found - start)], ScalarType.Float32);
            file.ReadSingles(name, start, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(piece.bytes));
            target.narrow(0, start, piece.numel()).copy_(piece);
        }
    }
}
