namespace Distill.Student.Preference;

/// <summary>A loss by the word a recipe uses.</summary>
/// <param name="Create">Makes it.</param>
public sealed record PreferenceLossKind(string Name, Func<PreferenceLossOptions, IPreferenceLoss> Create)
{
    /// <summary>Names of the constants it takes besides beta, in snake case.</summary>
    public IReadOnlyList<string> Parameters { get; init; } = [];

    public double DefaultBeta { get; init; } = 0.1;

    public double DefaultLabelSmoothing { get; init; } = 0.1;

    /// <summary>Whether it compares with the weights the training started from; if not, rewards are mean log-probabilities.</summary>
    public bool UsesReference { get; init; } = true;

    /// <summary>Whether it needs <see cref="PreferenceBatch.UnrelatedLogRatios"/>.</summary>
    public bool UsesUnrelated { get; init; }

    /// <summary>What the loss takes a completion to be worth (Rafailov et al. 2023, arXiv 2305.18290, section 5; without a reference Meng et al. 2024, arXiv 2405.14734).</summary>
    public double Reward(CompletionScore completion, double beta) => beta * (UsesReference ? completion.LogRatio : completion.LogProbabilityPerToken);
}
