using System.Collections.Concurrent;
using TorchSharp;

namespace Distill.Student.Model;

/// <summary>
/// Numbers as libtorch's scalars, kept for good. TorchSharp 0.107 frees a scalar's native memory when its object is collected, and an object made
/// for one call may be collected while the call still reads it: a collection on another thread then ends the process. Thread-safe.
/// </summary>
internal static class KeptScalar
{
    private static readonly ConcurrentDictionary<double, Scalar> Kept = new();

    public static Scalar Of(double value) => Kept.GetOrAdd(value, number => number.ToScalar());
}
