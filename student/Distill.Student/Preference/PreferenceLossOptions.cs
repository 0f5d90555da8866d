namespace Distill.Student.Preference;

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
