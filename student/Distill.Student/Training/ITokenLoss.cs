namespace Distill.Student.Training;

/// <summary>
/// A loss that depends on the model only through the log-probabilities of the learned tokens: cross-entropy and every
/// policy-gradient loss. Called from several threads at once with different batches; implementations hold no mutable state.
/// </summary>
public interface ITokenLoss
{
    /// <summary>Gives this batch's part of the loss and its derivative by each log-probability; parts add up over the batches of a step.</summary>
    /// <param name="batch">The batch whose learned tokens are scored.</param>
    /// <param name="logProbabilities">[supervised]</param>
    /// <param name="derivatives">[supervised], to be filled.</param>
    double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives);
}
