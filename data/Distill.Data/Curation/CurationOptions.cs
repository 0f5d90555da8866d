namespace Distill.Data.Curation;

/// <summary>Which traces may be trained on. Immutable; every field decides the outcome and belongs into cache keys.</summary>
public sealed record CurationOptions
{
    /// <summary>Names of the rules that apply; default all of <see cref="CurationRules.All"/>.</summary>
    public IReadOnlyList<string> Rules { get; init; } = [.. CurationRules.All.Select(rule => rule.Name)];

    /// <summary>Most traces kept of one question; default no limit.</summary>
    public int MaxPerProblem { get; init; } = int.MaxValue;
}
