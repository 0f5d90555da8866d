using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Libtorch;

/// <summary>
/// Numbers as libtorch's scalars, kept for good, and tensors made of them. TorchSharp 0.107 frees a scalar's native memory when its object
/// is collected, and an object made for one call may be collected while the call still reads it: a collection on another thread then ends
/// the process. Thread-safe.
/// </summary>
internal static class KeptScalar
{
    private static readonly ConcurrentDictionary<double, Scalar> Kept = new();

    /// <summary>
    /// The factor of a sum. An addition that is given none makes a scalar for it, as does every operator with a number.
    /// </summary>
    public static Scalar One { get; } = Of(1);

    public static Scalar Of(double value) => Kept.GetOrAdd(value, number => number.ToScalar());

    /// <summary>0, 1, 2, … below <paramref name="count"/>.</summary>
    public static Tensor Range(long count, ScalarType type, Device device) => arange(Of(0), Of(count), Of(1), type, device);

    /// <summary>A tensor of one number.</summary>
    public static Tensor Full(ReadOnlySpan<long> shape, double value, ScalarType type, Device device) =>
        empty(shape, type, device).fill_(Of(value));
}
