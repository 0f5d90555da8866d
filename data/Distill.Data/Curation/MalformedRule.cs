using Distill.Data.Traces;
using Distill.Data.Verification;

namespace Distill.Data.Curation;

/// <summary>Drops completions that never left the thinking or answered nothing, and those with stray thinking marks.</summary>
public sealed class MalformedRule : ICurationRule
{
    public string? DropReason(Trace trace, Verdict verdict) =>
        string.IsNullOrWhiteSpace(trace.Answer) || HasMark(trace.Answer) || HasMark(trace.Reasoning) ? "malformed" : null;

    private static bool HasMark(string text) =>
        text.Contains("<think>", StringComparison.Ordinal) || text.Contains("</think>", StringComparison.Ordinal);
}
