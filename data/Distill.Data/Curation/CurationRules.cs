namespace Distill.Data.Curation;

/// <summary>Every rule by the word a recipe uses, in the order they are asked: the first objection is the reason that counts.</summary>
public static class CurationRules
{
    public static IReadOnlyList<(string Name, Func<CurationOptions, ICurationRule> Create)> All { get; } =
    [
        ("truncated", _ => new TruncatedRule()),
        ("malformed", _ => new MalformedRule()),
        ("verdict", _ => new VerdictRule()),
        ("duplicate", _ => new DuplicateRule()),
        ("per_problem_limit", options => new PerProblemLimitRule(options.MaxPerProblem)),
    ];

    /// <summary>Fresh rules for one run, in the order of <see cref="All"/>.</summary>
    /// <exception cref="ArgumentException">The options name an unknown rule.</exception>
    internal static IReadOnlyList<ICurationRule> Create(CurationOptions options)
    {
        var unknown = options.Rules.Except(All.Select(rule => rule.Name), StringComparer.Ordinal).ToList();
        return unknown.Count == 0
            ? [.. All.Where(rule => options.Rules.Contains(rule.Name, StringComparer.Ordinal)).Select(rule => rule.Create(options))]
            : throw new ArgumentException(
                $"Unknown curation rules: {string.Join(", ", unknown)}; there are {string.Join(", ", All.Select(rule => rule.Name))}.", nameof(options));
    }
}
