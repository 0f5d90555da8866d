namespace Distill.Student.Training;

/// <summary>
/// A loss that depends on the whole predicted distribution of each learned token: soft labels. What depends on the chosen token's
/// log-probability alone is an <see cref="ITokenLoss"/>, which costs less. Called from several threads at once; implementations hold no
/// mutable state and allocate nothing per token.
/// </summary>
public interface IDistributionLoss
{
    /// <summary>Gives one token's part of the loss and its gradient; parts add up over the tokens of a step.</summary>
    /// <param name="sequence">The example the token belongs to.</param>
    /// <param name="position">Place among the sequence's learned tokens, from 0.</param>
    /// <param name="logits">[vocabulary]</param>
    /// <param name="gradient">[vocabulary]: derivative by each logit, to be overwritten; other memory than <paramref name="logits"/>.</param>
    double Evaluate(TrainingSequence sequence, int position, ReadOnlySpan<float> logits, Span<float> gradient);
}
