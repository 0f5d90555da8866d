using Distill.Student.Fused;
using Distill.Student.Model;

namespace Distill.Student.Training;

/// <summary>Chooses how a decoder is differentiated: the fused CPU passes where they cover the architecture, autograd elsewhere.</summary>
public static class GradientModels
{
    /// <summary>The caller disposes the result before the parameters.</summary>
    /// <param name="longest">Tokens of the longest sequence to come; null: as long as the model reads, whose activations cost memory.</param>
    public static IGradientModel Create(FlatParameters parameters, TrainingOptions options, int? longest = null) =>
        IsFused(parameters.Architecture, options)
            ? new FusedGradientModel(parameters, options.Precision, options.Threads, Math.Max(options.MicroBatchTokens, longest ?? parameters.Architecture.MaxPositions), options.RoundingSeed)
            : new TorchGradientModel(parameters, options.Precision, options.RoundingSeed, options.ActivationCheckpointing);

    /// <summary>Whether <see cref="Create"/> takes the fused passes.</summary>
    public static bool IsFused(Architecture.DecoderArchitecture architecture, TrainingOptions options) =>
        options.Precision != MatmulPrecision.Fp16 && FusedGradientModel.Supports(architecture);
}
