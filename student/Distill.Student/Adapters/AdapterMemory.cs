using Distill.Architecture;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Training;
using TorchSharp;

namespace Distill.Student.Adapters;

/// <summary>
/// Most memory that a training of adapters holds at once: a <see cref="TrainingMemory"/> with moments of the adapters alone.
/// </summary>
internal static class AdapterMemory
{
    private const int Single = sizeof(float);

    /// <summary>Predicts the passes that <see cref="GradientModels"/> would choose in the computer's memory.</summary>
    /// <param name="longestSequence">Tokens of the longest example.</param>
    public static TrainingMemory Of(DecoderArchitecture architecture, TrainingOptions options, LowRankOptions lowRank, int longestSequence)
    {
        List<ParameterSpec> projections =
            [.. ParameterMap.For(architecture).Where(spec => spec.Name.EndsWith("_proj.weight", StringComparison.Ordinal))];
        List<ParameterSpec> adapted = [.. projections.Where(spec => lowRank.Adapts(spec.Name))];
        long adapters = adapted.Sum(spec => lowRank.Rank * (spec.Shape[0] + spec.Shape[1])), moments = 2 * Single * adapters;
        bool merges = lowRank.Frozen == FrozenForm.Float && GradientModels.IsFused(architecture, options);
        var whole = merges ? TrainingMemory.Of(architecture, options, longestSequence)
            : TrainingMemory.OfAutograd(architecture, options.Precision, AutogradOptions.Of(options, DeviceType.CPU) with
            {
                Capacity = Math.Max(options.MicroBatchTokens, longestSequence),
            });
        int half = options.Precision == MatmulPrecision.Fp32 ? 0 : 2;
        if (merges)
        {
            long copied = Single * adapted.Sum(spec => spec.Count); // the base beside the merged weights
            return whole with
            {
                Weights = whole.Weights + copied + (Single * adapters),
                Optimizer = moments,
                Gradients = whole.Gradients + (Single * adapters),
            };
        }

        long frozen = lowRank.Frozen switch
        {
            FrozenForm.Int8 => projections.Sum(spec => BlockMatrix.BytesOf(spec.Shape[0], spec.Shape[1], 8)),
            FrozenForm.Int4 => projections.Sum(spec => BlockMatrix.BytesOf(spec.Shape[0], spec.Shape[1], 4)),
            _ => half * projections.Sum(spec => spec.Count),
        };
        return whole with
        {
            Weights = (Single * architecture.ParameterCount) + frozen + ((Single + half) * adapters),
            Optimizer = moments,
            Gradients = Single * adapters,
        };
    }
}
