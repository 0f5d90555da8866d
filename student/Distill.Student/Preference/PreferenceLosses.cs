using Distill.Student.Preference.Losses;

namespace Distill.Student.Preference;

/// <summary>Every preference loss by name. A new one is a file and a line here.</summary>
public static class PreferenceLosses
{
    public static IReadOnlyList<PreferenceLossKind> All { get; } =
    [
        new("sigmoid", o => new MarginLoss(new SigmoidPenalty(), o.Beta)),
        new("hinge", o => new MarginLoss(new HingePenalty(), o.Beta)),
        new("ipo", o => new MarginLoss(new SquaredPenalty(o.Beta), o.Beta, PairMargin.PerToken)),
        new("sigmoid_norm", o => new MarginLoss(new SigmoidPenalty(), o.Beta, PairMargin.PerToken)),
        new("cdpo", o => new MarginLoss(new SmoothedPenalty(o.LabelSmoothing), o.Beta)) { Parameters = ["label_smoothing"] },
        new("robust", o => new MarginLoss(new RobustPenalty(o.LabelSmoothing), o.Beta)) { Parameters = ["label_smoothing"] },
        new("exo_pair", o => new MarginLoss(new ReverseDivergencePenalty(o.LabelSmoothing), o.Beta)) { Parameters = ["label_smoothing"], DefaultLabelSmoothing = 1e-3 },
        new("aot", o => new SortedMarginLoss(new SigmoidPenalty(), o.Beta, paired: true)),
        new("aot_unpaired", o => new SortedMarginLoss(new SigmoidPenalty(), o.Beta, paired: false)),
        new("nca_pair", o => new RewardLoss(new ContrastivePenalty(), o.Beta)),
        new("sppo_hard", o => new RewardLoss(new SelfPlayPenalty(o.Beta), o.Beta)),
        new("apo_zero", o => new RewardLoss(new AnchoredZeroPenalty(), o.Beta)),
        new("apo_zero_unpaired", o => new RewardLoss(new AnchoredZeroPenalty(share: 0.5), o.Beta)),
        new("apo_down", o => new RewardLoss(new AnchoredDownPenalty(), o.Beta)),
        new("bco_pair", o => new BinaryClassifierLoss(o.Beta)),
        new("kto", o => new ProspectLoss(o.Beta, o.DesirableWeight, o.UndesirableWeight)) { Parameters = ["desirable_weight", "undesirable_weight"], UsesUnrelated = true },
        new("simpo", o => new MarginLoss(new SigmoidPenalty(o.Gamma), o.Beta, PairMargin.PerTokenWithoutReference)) { Parameters = ["gamma"], UsesReference = false, DefaultBeta = 2 },
        new("orpo", o => new OddsRatioLoss(o.Beta)) { UsesReference = false },
    ];

    /// <exception cref="ArgumentException">There is none of this name.</exception>
    public static PreferenceLossKind Get(string name) => All.FirstOrDefault(kind => kind.Name == name)
        ?? throw new ArgumentException($"There is no preference loss '{name}'; there are {string.Join(", ", All.Select(kind => kind.Name))}.", nameof(name));
}
