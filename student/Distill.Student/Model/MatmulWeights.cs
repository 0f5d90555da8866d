using Distill.Architecture;
using Distill.Student.Fused;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// The weights as the matrix products of the layers read them: in fp32 the master weights themselves, in bf16 a working copy that is
/// rounded anew for every update, and likewise in fp16, whose finer steps are rounded to nearest. Embedding, output
/// projection and final norm are always read from the master weights. The owner disposes it.
/// </summary>
internal sealed unsafe class MatmulWeights : IDisposable
{
    private const int Block = 1 << 18;
    private readonly FlatParameters parameters;
    private readonly ulong? roundingSeed;
    private readonly int threads, first, count;

    /// <param name="roundingSeed">Null rounds to nearest, as PyTorch's autocast does.</param>
    /// <param name="threads">That share the rounding; the result does not depend on them.</param>
    public MatmulWeights(FlatParameters parameters, MatmulPrecision precision, ulong? roundingSeed, int threads)
    {
        (this.parameters, this.roundingSeed, this.threads) = (parameters, roundingSeed, threads);
        first = (int)parameters.OffsetOf(ParameterMap.Layer(0, "input_layernorm.weight"));
        count = (int)parameters.OffsetOf(ParameterMap.FinalNorm) - first;
        Values = (precision switch
        {
            MatmulPrecision.Fp32 => parameters.Values.alias(),
            MatmulPrecision.Mixed => empty([parameters.Count], ScalarType.BFloat16),
            MatmulPrecision.Fp16 => empty([parameters.Count], ScalarType.Float16),
            _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, null),
        }).DetachFromDisposeScope();
    }

    /// <summary>
    /// [parameters] in the layout of the master weights; outside the layers undefined when bf16. Shares their memory when fp32.
    /// </summary>
    public Tensor Values { get; }

    /// <summary>Brings a bf16 copy up to the master weights.</summary>
    public void Refresh()
    {
        if (Values.dtype == ScalarType.Float16) RoundToHalf();
        if (Values.dtype != ScalarType.BFloat16) return;
        int blocks = (count + Block - 1) / Block;
        if (blocks == 1 || threads == 1) Round(0, count);
        else Parallel.For(
            0, blocks, new ParallelOptions { MaxDegreeOfParallelism = threads },
            block => Round(block * Block, Math.Min(Block, count - block * Block)));
    }

    public void Dispose() => Values.Dispose();

    private void RoundToHalf()
    {
        using var scope = NewDisposeScope();
        using var without = no_grad();
        Values.narrow(0, first, count).copy_(parameters.Values.narrow(0, first, count));
    }

    private void Round(int start, int length)
    {
        float* source = parameters.Pointer + first + start;
        ushort* target = (ushort*)NativeRows.PointerOf(Values) + first + start;
        if (roundingSeed is { } seed)
            StochasticRounding.Narrow(source, target, first + start, length, StochasticRounding.Key(seed, parameters.Updates));
        else NativeRows.Narrow(new ReadOnlySpan<float>(source, length), target);
    }
}
