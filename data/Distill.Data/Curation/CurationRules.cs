using Distill.Data.Traces;
using Distill.Verification;

namespace Distill.Data.Curation;

/// <summary>Every rule by the word a recipe uses, in the order they are asked: the first objection is the reason that counts.</summary>
internal static class CurationRules
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
                $"Unknown curation rules: {string.Join(", ", unknown.Select(Printable.Quote))}; "
                + $"there are {string.Join(", ", All.Select(rule => rule.Name))}.",
                nameof(options));
    }
}

/// <summary>
/// One reason to drop traces. A rule lives for one run and sees every trace once, in a fixed order; rules that compare traces
/// with earlier ones learn of those through <see cref="Kept"/>. Registered by one line in <see cref="CurationRules"/>.
/// </summary>
internal interface ICurationRule
{
    /// <returns>Why the trace must not be trained on, as one word for files and reports; null when this rule has no objection.</returns>
    string? DropReason(Trace trace, Verdict verdict);

    /// <summary>No rule objected: the trace is kept.</summary>
    void Kept(Trace trace)
    {
    }
}

/// <summary>Drops completions that ran into the token limit: a student taught on them learns not to finish.</summary>
internal sealed class TruncatedRule : ICurationRule
{
    public string? DropReason(Trace trace, Verdict verdict) => trace.StopReason == "length" ? "truncated" : null;
}

/// <summary>Drops completions that never left the thinking or answered nothing, and those with stray thinking marks.</summary>
internal sealed class MalformedRule : ICurationRule
{
    public string? DropReason(Trace trace, Verdict verdict) =>
        string.IsNullOrWhiteSpace(trace.Answer) || HasMark(trace.Answer) || HasMark(trace.Reasoning) ? "malformed" : null;

    private static bool HasMark(string text) =>
        text.Contains("<think>", StringComparison.Ordinal) || text.Contains("</think>", StringComparison.Ordinal);
}

/// <summary>Drops answers the verifier did not find correct; what it could not read is counted apart from what is wrong.</summary>
internal sealed class VerdictRule : ICurationRule
{
    public string? DropReason(Trace trace, Verdict verdict) => verdict switch
    {
        Verdict.Correct => null,
        Verdict.Incorrect => "wrong",
        Verdict.Undecidable => "undecidable",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, null),
    };
}

/// <summary>Drops a trace whose question, reasoning and answer equal those of one already kept, white space at the ends aside.</summary>
internal sealed class DuplicateRule : ICurationRule
{
    private readonly HashSet<(string Problem, string Reasoning, string? Answer)> seen = [];

    public string? DropReason(Trace trace, Verdict verdict) => seen.Contains(Key(trace)) ? "duplicate" : null;

    public void Kept(Trace trace) => seen.Add(Key(trace));

    private static (string Problem, string Reasoning, string? Answer) Key(Trace trace) =>
        (trace.Problem.Text, trace.Reasoning.Trim(), trace.Answer?.Trim());
}

/// <summary>Keeps at most so many traces of one question, so that easy questions do not crowd out hard ones.</summary>
internal sealed class PerProblemLimitRule(int limit) : ICurationRule
{
    private readonly Dictionary<string, int> kept = new(StringComparer.Ordinal);

    public string? DropReason(Trace trace, Verdict verdict) =>
        kept.GetValueOrDefault(trace.Problem.Text) >= limit ? "per_problem_limit" : null;

    public void Kept(Trace trace) => kept[trace.Problem.Text] = kept.GetValueOrDefault(trace.Problem.Text) + 1;
}
