using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Verification;

namespace Distill.Data.Curation;

/// <summary>Drops completions that ran into the token limit: a student taught on them learns not to finish.</summary>
internal sealed class TruncatedRule : ITraceRule
{
    public string? DropReason(Trace trace, Verdict verdict) => trace.StopReason == "length" ? "truncated" : null;
}

/// <summary>
/// Drops what a teacher or its endpoint would not answer, each kind for its own reason: the remedies differ (other problems, another
/// endpoint, a request without tools, a larger limit).
/// </summary>
internal sealed class RefusedRule : ITraceRule
{
    public string? DropReason(Trace trace, Verdict verdict) => trace.StopReason switch
    {
        "content_filter" => "content_filter",
        "tool_calls" or "tool_call" or "tool_use" or "function_call" => "tool_call",
        "empty" => "empty",
        "refusal" => "refusal",
        _ when trace.Refusal is not null => "refusal",
        _ => string.IsNullOrWhiteSpace(trace.Answer) && string.IsNullOrWhiteSpace(trace.Reasoning) ? "empty" : null,
    };
}

/// <summary>
/// Drops completions that never left the thinking or answered nothing, and answers with stray thinking marks. A mark spelled out in the
/// reasoning is text like any other: reasoning and answer are kept apart, so nothing is mistaken for the end of the thought.
/// </summary>
internal sealed class MalformedRule : ITraceRule
{
    public string? DropReason(Trace trace, Verdict verdict) =>
        string.IsNullOrWhiteSpace(trace.Answer) || HasMark(trace.Answer) ? "malformed" : null;

    private static bool HasMark(string text) =>
        text.Contains("<think>", StringComparison.Ordinal) || text.Contains("</think>", StringComparison.Ordinal);
}

/// <summary>Drops answers the verifier did not find correct; what it could not read is counted apart from what is wrong.</summary>
internal sealed class VerdictRule : ITraceRule
{
    public string? DropReason(Trace trace, Verdict verdict) => verdict switch
    {
        Verdict.Correct => null,
        Verdict.Incorrect => "wrong",
        Verdict.Undecidable => "undecidable",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, null),
    };
}

/// <summary>
/// Drops traces of problems whose reference answer no verifier can read: none of them can be right, which is no fault of the teacher.
/// Traces of a problem lie together, so the last answer is remembered. One thread at a time.
/// </summary>
internal sealed class UnreadableReferenceRule(ProblemVerifiers verifiers) : ITraceRule
{
    private Problem? last;
    private bool lastIsFaulty;

    public string? DropReason(Trace trace, Verdict verdict)
    {
        if (verdict == Verdict.Correct) return null;
        var problem = trace.Problem;
        bool isNew = last is null || problem.Id != last.Id || problem.Text != last.Text || problem.ReferenceAnswer != last.ReferenceAnswer;
        if (isNew) lastIsFaulty = verifiers.Of(problem).FaultOf(problem) is not null;
        last = problem;
        return lastIsFaulty ? "unreadable_reference" : null;
    }
}
