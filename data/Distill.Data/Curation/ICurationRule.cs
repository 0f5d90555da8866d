using Distill.Data.Traces;
using Distill.Data.Verification;

namespace Distill.Data.Curation;

/// <summary>
/// One reason to drop traces. A rule lives for one run and sees every trace once, in a fixed order; rules that compare traces
/// with earlier ones learn of those through <see cref="Kept"/>. Registered by one line in <see cref="CurationRules"/>.
/// </summary>
public interface ICurationRule
{
    /// <returns>Why the trace must not be trained on, as one word for files and reports; null when this rule has no objection.</returns>
    string? DropReason(Trace trace, Verdict verdict);

    /// <summary>No rule objected: the trace is kept.</summary>
    void Kept(Trace trace)
    {
    }
}
