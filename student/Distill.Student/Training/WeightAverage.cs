using System.Numerics.Tensors;

namespace Distill.Student.Training;

/// <summary>
/// Exponential moving average of the weights: average ← decay·average + (1 − decay)·weights after every update, the first one copied
/// (Polyak averaging; PyTorch's <c>get_ema_multi_avg_fn</c>). Generalises better than the last weights while the learning rate is high. Not
/// thread-safe.
/// </summary>
/// <param name="count">Weights.</param>
/// <param name="decay">0 up to, not including, 1.</param>
internal sealed class WeightAverage(int count, double decay)
{
    private readonly float[] values = new float[count];

    /// <summary>Whether any weights were added.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>[count]</summary>
    public ReadOnlySpan<float> Values => values;

    /// <param name="weights">[count]</param>
    public void Add(ReadOnlySpan<float> weights)
    {
        if (!IsStarted) weights.CopyTo(values);
        else TensorPrimitives.Lerp<float>(values, weights, (float)(1 - decay), values);
        IsStarted = true;
    }

    /// <summary>Leaves the target alone when nothing was added.</summary>
    public void CopyTo(Span<float> target)
    {
        if (IsStarted) values.CopyTo(target);
    }

    /// <summary>The values to be filled from a saved state.</summary>
    internal Span<float> Restore()
    {
        IsStarted = true;
        return values;
    }
}
