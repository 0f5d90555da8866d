using Distill.Student.Adapters;
using Distill.Student.Autograd;
using Distill.Student.Fused;
using Distill.Student.Model;

namespace Distill.Student.Training;

/// <summary>What one pass over a batch of sequences gave.</summary>
/// <param name="Loss">Sum of the loss's parts.</param>
/// <param name="MeanLogProbability">Over the learned tokens.</param>
/// <param name="MeanEntropy">Of the predicted distributions, in nats, over the learned tokens.</param>
internal sealed record PassResult(double Loss, double MeanLogProbability, double MeanEntropy)
{
    /// <summary>Share of the learned tokens that no other token was more likely than.</summary>
    public double Accuracy { get; init; }
}

/// <summary>A decoder that can be differentiated. Not thread-safe; threads inside are its own business. The creator disposes it.</summary>
internal interface IGradientModel : IDisposable
{
    FlatParameters Parameters { get; }

    /// <summary>
    /// [trained values] fp32 on their device: gradient of the last <c>Differentiate</c>, overwritten by the next. The model's own.
    /// </summary>
    Tensor Gradient { get; }

    /// <summary>Runs forward and backward over all sequences and leaves the summed gradient in <see cref="Gradient"/>.</summary>
    PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, ITokenLoss loss);

    /// <summary>The same for a loss on whole distributions.</summary>
    PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, IDistributionLoss loss);

    /// <summary>Log-probabilities of each sequence's learned tokens, without gradient.</summary>
    IReadOnlyList<float[]> Score(IReadOnlyList<TrainingSequence> sequences);

    /// <summary>Entropies in nats of the distributions predicted for each sequence's learned tokens, without gradient.</summary>
    IReadOnlyList<float[]> Entropies(IReadOnlyList<TrainingSequence> sequences);
}

/// <summary>
/// A loss that depends on the model only through the log-probabilities of the learned tokens: cross-entropy and every
/// policy-gradient loss. Called from several threads at once with different batches; implementations hold no mutable state.
/// </summary>
internal interface ITokenLoss
{
    /// <summary>
    /// Gives this batch's part of the loss and its derivative by each log-probability; parts add up over the batches of a step.
    /// </summary>
    /// <param name="batch">The batch whose learned tokens are scored.</param>
    /// <param name="logProbabilities">[supervised]</param>
    /// <param name="derivatives">[supervised], to be filled.</param>
    double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives);
}

/// <summary>
/// A loss that depends on the whole predicted distribution of each learned token: soft labels. What depends on the chosen token's
/// log-probability alone is an <see cref="ITokenLoss"/>, which costs less. Called from several threads at once; implementations hold no
/// mutable state and allocate nothing per token.
/// </summary>
internal interface IDistributionLoss
{
    /// <summary>Gives one token's part of the loss and its gradient; parts add up over the tokens of a step.</summary>
    /// <param name="sequence">The example the token belongs to.</param>
    /// <param name="position">Place among the sequence's learned tokens, from 0.</param>
    /// <param name="logits">[vocabulary]</param>
    /// <param name="gradient">
    /// [vocabulary]: derivative by each logit, to be overwritten; other memory than <paramref name="logits"/>.
    /// </param>
    double Evaluate(TrainingSequence sequence, int position, ReadOnlySpan<float> logits, Span<float> gradient);

    /// <summary>
    /// The same for many tokens at once, by tensor operations where the logits are: nothing as large as a vocabulary leaves the device.
    /// </summary>
    /// <returns>In the caller's dispose scope.</returns>
    ChunkLoss Evaluate(LogitsChunk chunk);
}

/// <summary>Learned tokens with the logits they are predicted by, on the device that computed these.</summary>
/// <param name="Rows">[rows]: the example of each token, and its place among the example's learned tokens, from 0.</param>
/// <param name="Logits">[rows, vocabulary] fp32, left as they are.</param>
/// <param name="Targets">[rows] int64: the learned tokens.</param>
internal sealed record LogitsChunk(IReadOnlyList<LearnedToken> Rows, Tensor Logits, Tensor Targets);

/// <summary>A learned token: its example, and its place among the example's learned tokens, from 0.</summary>
internal readonly record struct LearnedToken(TrainingSequence Sequence, int Position);

/// <summary>What a chunk adds to a loss.</summary>
/// <param name="Value">Scalar on the logits' device: reading it waits for the device, so the caller does it once for many chunks.</param>
/// <param name="Gradient">[rows, vocabulary] fp32: derivative by each logit; memory of its own.</param>
internal readonly record struct ChunkLoss(Tensor Value, Tensor Gradient);

/// <summary>What the learned tokens of a pass add up to.</summary>
/// <param name="Hits">Tokens that no other was more likely than.</param>
internal readonly record struct PassSums(double Loss, double LogProbability, double Entropy, long Hits)
{
    public static PassSums operator +(PassSums one, PassSums other) =>
        new(one.Loss + other.Loss, one.LogProbability + other.LogProbability, one.Entropy + other.Entropy, one.Hits + other.Hits);

    public PassResult Over(IReadOnlyList<TrainingSequence> sequences)
    {
        double learned = sequences.Sum(sequence => (long)sequence.SupervisedCount);
        return new PassResult(Loss, LogProbability / learned, Entropy / learned) { Accuracy = Hits / learned };
    }
}

/// <summary>Chooses how a decoder is differentiated: the fused CPU passes where they cover the architecture, autograd elsewhere.</summary>
internal static class GradientModels
{
    /// <summary>
    /// Raised when <see cref="AutogradGradientModel"/> computes other bits than before: belongs into the digests and keys of its trainings.
    /// </summary>
    public const int AutogradVersion = 2;

    /// <summary>The same of <see cref="FusedGradientModel"/>, in digests; in keys it is in the versions of the stages that train.</summary>
    public const int FusedVersion = 2; // 2: products of whole sixteens of rows, the first of a thread split as the later ones

    /// <summary>The caller disposes the result before the parameters.</summary>
    /// <param name="longest">
    /// Tokens of the longest sequence to come; null: as long as the model reads, whose activations cost memory.
    /// </param>
    public static IGradientModel Create(FlatParameters parameters, TrainingOptions options, int? longest = null)
    {
        options = options.On(parameters.Device.type);
        return IsFused(parameters, options)
            ? new FusedGradientModel(
                parameters, options.Precision, options.Threads,
                Math.Max(options.MicroBatchTokens, longest ?? parameters.Architecture.MaxPositions), options.RoundingSeed)
            : new AutogradGradientModel(
                parameters, options.Precision, options.RoundingSeed,
                AutogradOptions.Of(parameters.Architecture, options, parameters.Device.type));
    }

    /// <summary>A decoder of which adapters alone are trained.</summary>
    /// <param name="parameters">The base, which stays as it is, but where the fused passes need merged weights.</param>
    /// <param name="form">Of the frozen weights; the fused passes know one alone.</param>
    /// <inheritdoc cref="Create(FlatParameters, TrainingOptions, int?)"/>
    public static IGradientModel Create(
        FlatParameters parameters, LowRankAdapters adapters, FrozenForm form, TrainingOptions options, int? longest = null)
    {
        options = options.On(adapters.Values.device_type);
        return IsFused(parameters, adapters, form, options)
            ? new AdaptedGradientModel(Create(parameters, options, longest), adapters)
            : new AutogradGradientModel(
                parameters, new AdapterWeights(parameters, adapters, options.Precision, form, options.RoundingSeed, options.Threads),
                AutogradOptions.Of(parameters.Architecture, options, adapters.Values.device_type));
    }

    /// <summary>Whether <see cref="Create(FlatParameters, TrainingOptions, int?)"/> takes the fused passes.</summary>
    public static bool IsFused(FlatParameters parameters, TrainingOptions options) =>
        parameters.Passes is FusedPasses && IsFused(parameters.Architecture, options);

    /// <inheritdoc cref="IsFused(FlatParameters, TrainingOptions)"/>
    public static bool IsFused(FlatParameters parameters, LowRankAdapters adapters, FrozenForm form, TrainingOptions options) =>
        form == FrozenForm.Float && ReferenceEquals(adapters.Passes, parameters.Passes) && IsFused(parameters, options);

    /// <summary>The same for a model that lies in the computer's memory.</summary>
    public static bool IsFused(Architecture.DecoderArchitecture architecture, TrainingOptions options) =>
        options.Precision != MatmulPrecision.Fp16 && FusedGradientModel.Supports(architecture);
}
