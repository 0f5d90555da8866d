using Distill.Student.Training;

namespace Distill.Student.Supervised;

/// <summary>
/// −Σ log π(token) / N over the learned tokens. N counts the learned tokens of the whole optimiser step, not of a micro-batch,
/// so that splitting a step changes nothing.
/// </summary>
/// <param name="learnedTokens">N.</param>
public sealed class CrossEntropy(long learnedTokens) : ITokenLoss
{
    public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        derivatives.Fill(-1f / learnedTokens);
        double sum = 0;
        foreach (float value in logProbabilities) sum -= value;
        return sum / learnedTokens;
    }
}
