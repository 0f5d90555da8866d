using Distill.Data.Traces;
using Distill.Data.Verification;

namespace Distill.Data.Curation;

/// <summary>Keeps at most so many traces of one question, so that easy questions do not crowd out hard ones.</summary>
public sealed class PerProblemLimitRule(int limit) : ICurationRule
{
    private readonly Dictionary<string, int> kept = new(StringComparer.Ordinal);

    public string? DropReason(Trace trace, Verdict verdict) => kept.GetValueOrDefault(trace.Problem.Text) >= limit ? "per_problem_limit" : null;

    public void Kept(Trace trace) => kept[trace.Problem.Text] = kept.GetValueOrDefault(trace.Problem.Text) + 1;
}
