using Distill.Data.Traces;
using Distill.Data.Verification;

namespace Distill.Data.Curation;

/// <summary>Drops completions that ran into the token limit: a student taught on them learns not to finish.</summary>
public sealed class TruncatedRule : ICurationRule
{
    public string? DropReason(Trace trace, Verdict verdict) => trace.StopReason == "length" ? "truncated" : null;
}
