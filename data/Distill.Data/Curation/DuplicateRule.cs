using Distill.Data.Traces;
using Distill.Data.Verification;

namespace Distill.Data.Curation;

/// <summary>Drops a trace whose question, reasoning and answer equal those of one already kept, white space at the ends aside.</summary>
public sealed class DuplicateRule : ICurationRule
{
    private readonly HashSet<(string Problem, string Reasoning, string? Answer)> seen = [];

    public string? DropReason(Trace trace, Verdict verdict) => seen.Contains(Key(trace)) ? "duplicate" : null;

    public void Kept(Trace trace) => seen.Add(Key(trace));

    private static (string Problem, string Reasoning, string? Answer) Key(Trace trace) =>
        (trace.Problem.Text, trace.Reasoning.Trim(), trace.Answer?.Trim());
}
