using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Training;

/// <summary>
/// Exponential moving average of the weights: average ← decay·average + (1 − decay)·weights after every update, the first one copied
/// (Polyak averaging; PyTorch's <c>get_ema_multi_avg_fn</c>). Generalises better than the last weights while the learning rate is high.
/// Lies on the weights' device. Not thread-safe; dispose it.
/// </summary>
/// <param name="trained">What is averaged.</param>
/// <param name="decay">0 up to, not including, 1.</param>
internal sealed class WeightAverage(ITrainedValues trained, double decay) : IDisposable
{
    /// <summary>Whether any weights were added.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>[count]</summary>
    public Tensor Values { get; } = zeros([trained.Count], ScalarType.Float32, trained.Values.device).DetachFromDisposeScope();

    /// <param name="weights">[count]</param>
    public void Add(Tensor weights)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        if (!IsStarted) Values.copy_(weights);
        else trained.Passes.Average(Values, weights, 1 - decay);
        IsStarted = true;
    }

    /// <summary>Leaves the target alone when nothing was added.</summary>
    public void CopyTo(Tensor target)
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        if (IsStarted) target.copy_(Values);
    }

    /// <summary>The values to be filled from a saved state.</summary>
    internal Tensor Restore()
    {
        IsStarted = true;
        return Values;
    }

    public void Dispose() => Values.Dispose();
}
