using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Promotions;

/// <summary>What became of a model that was to be promoted.</summary>
internal enum PromotionOutcome
{
    /// <summary>It is what applications load.</summary>
    Promoted,

    /// <summary>Something else stays in place, for the reasons that the checks give.</summary>
    Refused,
}

/// <summary>One thing that had to hold.</summary>
/// <param name="Name">E.g. <c>parity</c>, <c>all problems</c>, <c>domain words</c>.</param>
/// <param name="Text">What was found, and what was asked for, in words.</param>
/// <param name="Paired">The counts behind it; null where it is no comparison.</param>
internal sealed record PromotionCheck(string Name, bool Passed, string Text, PairedLoss? Paired = null);

/// <summary>Why a model was promoted or not: part of the run's report, and kept beside the promoted model.</summary>
/// <param name="Place">The name of the place, without its folders.</param>
/// <param name="Version">The version that it became; null where it was refused.</param>
/// <param name="Incumbent">The version that it was compared with; null where there was none.</param>
/// <param name="Rule">What was asked for, in words.</param>
/// <param name="Checks">All of them, in the order they were made.</param>
internal sealed record PromotionReport(
    PromotionOutcome Outcome, string Place, int? Version, int? Incumbent, string Rule, IReadOnlyList<PromotionCheck> Checks)
{
    /// <summary>What is to be known besides, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The verdict in one sentence.</summary>
    public string Sentence => Outcome == PromotionOutcome.Promoted
        ? Incumbent is { } before ? $"promoted to '{Place}' as version {Version}, after version {before}"
            : $"promoted to '{Place}' as version {Version}, the first"
        : $"not promoted to '{Place}': " + string.Join("; ", Checks.Where(check => !check.Passed).Select(check => check.Text));
}
