using Distill.Architecture;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Training;
using TorchSharp;

namespace Distill.Student.Adapters;

/// <summary>
/// Most memory that a training of adapters holds at once: a <see cref="TrainingMemory"/> with moments of the adapters alone.
/// </summary>
/// <param name="Device">On the device that is trained on; in the computer's memory all there is.</param>
/// <param name="Host">The base in the computer's memory beside a device that holds it in fewer bits; else 0.</param>
internal sealed record AdapterMemory(TrainingMemory Device, long Host)
{
    private const int Single = sizeof(float);

    /// <summary>Predicts the passes that <see cref="GradientModels"/> would choose.</summary>
    /// <param name="longestSequence">Tokens of the longest example.</param>
    /// <param name="device">That the adapters are trained on.</param>
    public static AdapterMemory Of(
        DecoderArchitecture architecture, TrainingOptions options, LowRankOptions lowRank, int longestSequence,
        DeviceType device = DeviceType.CPU)
    {
        options = options.On(device);
        List<ParameterSpec> projections =
            [.. ParameterMap.For(architecture).Where(spec => spec.Name.EndsWith("_proj.weight", StringComparison.Ordinal))];
        List<ParameterSpec> adapted = [.. projections.Where(spec => lowRank.Adapts(spec.Name))];
        long adapters = adapted.Sum(spec => lowRank.Rank * (spec.Shape[0] + spec.Shape[1])), moments = 2 * Single * adapters;
        bool merges = device == DeviceType.CPU && lowRank.Frozen == FrozenForm.Float && GradientModels.IsFused(architecture, options);
        var passes = AutogradOptions.Of(architecture, options, device);
        var whole = merges ? TrainingMemory.Of(architecture, options, longestSequence)
            : TrainingMemory.OfAutograd(
                architecture, options.Precision, passes with { Capacity = Math.Max(passes.Capacity, longestSequence) });
        int half = options.Precision == MatmulPrecision.Fp32 ? 0 : 2;
        if (merges)
        {
            long copied = Single * adapted.Sum(spec => spec.Count); // the base beside the merged weights
            return new(whole with
            {
                Weights = whole.Weights + copied + (Single * adapters),
                Optimizer = moments,
                Gradients = whole.Gradients + (Single * adapters),
            }, Host: 0);
        }

        long parameters = architecture.ParameterCount, frozen = lowRank.Frozen switch
        {
            FrozenForm.Int8 => projections.Sum(spec => BlockMatrix.BytesOf(spec.Shape[0], spec.Shape[1], 8)),
            FrozenForm.Int4 => projections.Sum(spec => BlockMatrix.BytesOf(spec.Shape[0], spec.Shape[1], 4)),
            _ => half * projections.Sum(spec => spec.Count),
        };
        // Beside a device the base stays in the computer's memory, but for what is no projection.
        bool aside = device != DeviceType.CPU && lowRank.Frozen != FrozenForm.Float;
        long single = aside ? parameters - projections.Sum(spec => spec.Count) : parameters;
        return new(whole with
        {
            Weights = (Single * single) + frozen + ((Single + half) * adapters),
            Optimizer = moments,
            Gradients = Single * adapters,
            Activations = whole.Activations + Widened(projections, lowRank.Frozen, half),
        }, aside ? Single * parameters : 0);
    }

    private static long Widened(List<ParameterSpec> projections, FrozenForm form, int half) => form switch
    {
        FrozenForm.Int8 => projections.Max(spec => BlockMatrix.WidenedBytesOf(spec.Shape[0], spec.Shape[1], 8, half)),
        FrozenForm.Int4 => projections.Max(spec => BlockMatrix.WidenedBytesOf(spec.Shape[0], spec.Shape[1], 4, half)),
        _ => 0,
    };
}
