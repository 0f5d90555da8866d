using Distill.Student.Model;

namespace Distill.Student.Training;

/// <summary>What one pass over a batch of sequences gave.</summary>
/// <param name="Loss">Sum of the loss's parts.</param>
/// <param name="MeanLogProbability">Over the learned tokens.</param>
/// <param name="MeanEntropy">Of the predicted distributions, in nats, over the learned tokens.</param>
public sealed record PassResult(double Loss, double MeanLogProbability, double MeanEntropy)
{
    /// <summary>Share of the learned tokens that no other token was more likely than.</summary>
    public double Accuracy { get; init; }
}

/// <summary>A decoder that can be differentiated. Not thread-safe; threads inside are its own business. The creator disposes it.</summary>
public interface IGradientModel : IDisposable
{
    FlatParameters Parameters { get; }

    /// <summary>[trained values]: gradient of the last <c>Differentiate</c>, overwritten by the next.</summary>
    ReadOnlySpan<float> Gradient { get; }

    /// <summary>Runs forward and backward over all sequences and leaves the summed gradient in <see cref="Gradient"/>.</summary>
    PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, ITokenLoss loss);

    /// <summary>The same for a loss on whole distributions.</summary>
    PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, IDistributionLoss loss);

    /// <summary>Log-probabilities of each sequence's learned tokens, without gradient.</summary>
    IReadOnlyList<float[]> Score(IReadOnlyList<TrainingSequence> sequences);

    /// <summary>Entropies in nats of the distributions predicted for each sequence's learned tokens, without gradient.</summary>
    IReadOnlyList<float[]> Entropies(IReadOnlyList<TrainingSequence> sequences);
}
