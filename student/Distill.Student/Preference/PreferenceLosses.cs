namespace Distill.Student.Preference;

/// <summary>Every preference loss by name. A new one is a file and a line here.</summary>
internal static class PreferenceLosses
{
    public static IReadOnlyList<PreferenceLossKind> All { get; } =
    [
        new("sigmoid", o => new MarginLoss(new SigmoidPenalty(), o.Beta)),
        new("hinge", o => new MarginLoss(new HingePenalty(), o.Beta)),
        new("ipo", o => new MarginLoss(new SquaredPenalty(o.Beta), o.Beta, PairMargin.PerToken)),
        new("sigmoid_norm", o => new MarginLoss(new SigmoidPenalty(), o.Beta, PairMargin.PerToken)),
        new("cdpo", o => new MarginLoss(new SmoothedPenalty(o.LabelSmoothing), o.Beta)) { Parameters = ["label_smoothing"] },
        new("robust", o => new MarginLoss(new RobustPenalty(o.LabelSmoothing), o.Beta)) { Parameters = ["label_smoothing"] },
        new("exo_pair", o => new MarginLoss(new ReverseDivergencePenalty(o.LabelSmoothing), o.Beta)) { Parameters = ["label_smoothing"],
        DefaultLabelSmoothing = 1e-3 },
        new("aot", o => new SortedMarginLoss(new SigmoidPenalty(), o.Beta, paired: true)),
        new("aot_unpaired", o => new SortedMarginLoss(new SigmoidPenalty(), o.Beta, paired: false)),
        new("nca_pair", o => new RewardLoss(new ContrastivePenalty(), o.Beta)),
        new("sppo_hard", o => new RewardLoss(new SelfPlayPenalty(o.Beta), o.Beta)),
        new("apo_zero", o => new RewardLoss(new AnchoredZeroPenalty(), o.Beta)),
        new("apo_zero_unpaired", o => new RewardLoss(new AnchoredZeroPenalty(share: 0.5), o.Beta)),
        new("apo_down", o => new RewardLoss(new AnchoredDownPenalty(), o.Beta)),
        new("bco_pair", o => new BinaryClassifierLoss(o.Beta)),
        new("kto", o => new ProspectLoss(o.Beta, o.DesirableWeight, o.UndesirableWeight)) { Parameters =
        ["desirable_weight", "undesirable_weight"], UsesUnrelated = true },
        new("simpo", o => new MarginLoss(new SigmoidPenalty(o.Gamma), o.Beta, PairMargin.PerTokenWithoutReference)) { Parameters =
        ["gamma"], UsesReference = false, DefaultBeta = 2 },
        new("orpo", o => new OddsRatioLoss(o.Beta)) { UsesReference = false },
    ];

    /// <exception cref="ArgumentException">There is none of this name.</exception>
    public static PreferenceLossKind Get(string name) => All.FirstOrDefault(kind => kind.Name == name)
        ?? throw new ArgumentException(
            $"There is no preference loss '{name}'; there are {string.Join(", ", All.Select(kind => kind.Name))}.", nameof(name));
}

/// <summary>A loss by the word a recipe uses.</summary>
/// <param name="Create">Makes it.</param>
internal sealed record PreferenceLossKind(string Name, Func<PreferenceLossOptions, IPreferenceLoss> Create)
{
    /// <summary>Names of the constants it takes besides beta, in snake case.</summary>
    public IReadOnlyList<string> Parameters { get; init; } = [];

    public double DefaultBeta { get; init; } = 0.1;

    public double DefaultLabelSmoothing { get; init; } = 0.1;

    /// <summary>Whether it compares with the weights the training started from; if not, rewards are mean log-probabilities.</summary>
    public bool UsesReference { get; init; } = true;

    /// <summary>Whether it needs <see cref="PreferenceBatch.UnrelatedLogRatios"/>.</summary>
    public bool UsesUnrelated { get; init; }

    /// <summary>
    /// What the loss takes a completion to be worth (Rafailov et al. 2023, arXiv 2305.18290, section 5; without a reference Meng et al.
    /// 2024, arXiv 2405.14734).
    /// </summary>
    public double Reward(CompletionScore completion, double beta) =>
        beta * (UsesReference ? completion.LogRatio : completion.LogProbabilityPerToken);
}

/// <summary>Constants of the losses; each takes what it names in <see cref="PreferenceLossKind.Parameters"/>.</summary>
public sealed record PreferenceLossOptions
{
    /// <summary>How strongly log-ratios count; the smaller, the further the model may move from its start.</summary>
    public double Beta { get; init; } = 0.1;

    /// <summary>Share of pairs whose labels are taken to be the wrong way round.</summary>
    public double LabelSmoothing { get; init; } = 0.1;

    /// <summary>By how much the chosen completion's reward should lead.</summary>
    public double Gamma { get; init; } = 1;

    /// <summary>Weight of chosen completions where each completion counts for itself.</summary>
    public double DesirableWeight { get; init; } = 1;

    /// <summary>Weight of rejected ones there.</summary>
    public double UndesirableWeight { get; init; } = 1;
}
