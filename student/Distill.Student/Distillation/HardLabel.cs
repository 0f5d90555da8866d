using System.Numerics;
using System.Numerics.Tensors;

namespace Distill.Student.Distillation;

/// <summary>−log softmax(logits)[target], added to a gradient that is there already; allocates nothing.</summary>
internal static class HardLabel
{
    private const int Chunk = 256;

    /// <param name="gradient">[vocabulary]: <paramref name="weight"/> · (softmax − one-hot) is added.</param>
    public static double Add<T>(int target, ReadOnlySpan<T> logits, Span<T> gradient, double weight)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<T> part = stackalloc T[Chunk];
        T largest = TensorPrimitives.Max(logits);
        double total = 0;
        for (int i = 0; i < logits.Length; i += Chunk) total += double.CreateTruncating(TensorPrimitives.Sum<T>(Exponentials(logits, largest, i, part)));
        T factor = T.CreateTruncating(weight / total);
        for (int i = 0; i < logits.Length; i += Chunk)
        {
            var exponentials = Exponentials(logits, largest, i, part);
            var slot = gradient.Slice(i, exponentials.Length);
            TensorPrimitives.MultiplyAdd<T>(exponentials, factor, slot, slot);
        }

        gradient[target] -= T.CreateTruncating(weight);
        return weight * (Math.Log(total) - double.CreateTruncating(logits[target] - largest));
    }

    private static Span<T> Exponentials<T>(ReadOnlySpan<T> logits, T largest, int start, Span<T> part)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var slice = logits.Slice(start, Math.Min(Chunk, logits.Length - start));
        var target = part[..slice.Length];
        TensorPrimitives.Subtract(slice, largest, target);
        TensorPrimitives.Exp<T>(target, target);
        return target;
    }
}
