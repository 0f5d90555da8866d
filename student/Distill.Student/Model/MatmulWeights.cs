using Distill.Architecture;
using Distill.Student.Fused;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// The weights as the matrix products of the layers read them: in fp32 the master weights themselves, in bf16 a working copy that is
/// rounded anew for every update, and likewise in fp16, whose finer steps are rounded to nearest. Embedding, output
/// projection and final norm are always read from the master weights. The owner disposes it.
/// </summary>
internal sealed class MatmulWeights : IDisposable
{
    private readonly FlatParameters parameters;
    private readonly ulong? roundingSeed;
    private readonly int threads;
    private readonly long first, count;

    /// <param name="roundingSeed">Null rounds to nearest, as PyTorch's autocast does.</param>
    /// <param name="threads">That share the rounding; the result does not depend on them.</param>
    public MatmulWeights(FlatParameters parameters, MatmulPrecision precision, ulong? roundingSeed, int threads)
    {
        (this.parameters, this.roundingSeed, this.threads) = (parameters, roundingSeed, threads);
        first = parameters.OffsetOf(ParameterMap.Layer(0, "input_layernorm.weight"));
        count = parameters.OffsetOf(ParameterMap.FinalNorm) - first;
        Values = (precision switch
        {
            MatmulPrecision.Fp32 => parameters.Values.alias(),
            MatmulPrecision.Mixed => empty([parameters.Count], ScalarType.BFloat16, parameters.Device),
            MatmulPrecision.Fp16 => empty([parameters.Count], ScalarType.Float16, parameters.Device),
            _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, null),
        }).DetachFromDisposeScope();
    }

    /// <summary>
    /// [parameters] in the layout of the master weights; outside the layers undefined when bf16. Shares their memory when fp32.
    /// </summary>
    public Tensor Values { get; }

    /// <summary>Brings a 16-bit copy up to the master weights.</summary>
    public void Refresh()
    {
        if (Values.dtype == ScalarType.Float32) return;
        using var scope = NewDisposeScope();
        using var without = no_grad();
        Tensor source = parameters.Values.narrow(0, first, count), target = Values.narrow(0, first, count);
        if (Values.dtype == ScalarType.Float16) target.copy_(source);
        else parameters.Passes.Round(
            source, target, first, roundingSeed is { } seed ? StochasticRounding.Key(seed, parameters.Updates) : null, threads);
    }

    public void Dispose() => Values.Dispose();
}
