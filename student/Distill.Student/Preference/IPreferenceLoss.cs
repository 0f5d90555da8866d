namespace Distill.Student.Preference;

/// <summary>
/// A loss over the pairs of one optimiser step that depends on the model through the completions' summed log-probabilities alone, as every
/// loss of the DPO family does. Stateless and thread-safe.
/// </summary>
public interface IPreferenceLoss
{
    /// <param name="slopes">[pairs], to be filled.</param>
    /// <returns>Mean over the pairs.</returns>
    double Evaluate(PreferenceBatch batch, Span<PairSlopes> slopes);
}
