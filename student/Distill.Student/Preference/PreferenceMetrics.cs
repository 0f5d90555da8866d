namespace Distill.Student.Preference;

/// <summary>What the rewards of a step's pairs look like.</summary>
/// <param name="Chosen">Mean reward of the chosen completions.</param>
/// <param name="Rejected">Of the rejected ones.</param>
/// <param name="Accuracy">Share of the pairs whose chosen completion has the larger reward.</param>
public sealed record PreferenceMetrics(double Chosen, double Rejected, double Accuracy)
{
    public double Margin => Chosen - Rejected;

    public static PreferenceMetrics Of(PreferenceLossKind kind, double beta, IReadOnlyList<ScoredPair> pairs) => new(
        pairs.Average(pair => kind.Reward(pair.Chosen, beta)),
        pairs.Average(pair => kind.Reward(pair.Rejected, beta)),
        pairs.Average(pair => kind.Reward(pair.Chosen, beta) > kind.Reward(pair.Rejected, beta) ? 1.0 : 0));
}
