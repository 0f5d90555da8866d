using Distill.Data.Traces;
using Distill.Data.Verification;

namespace Distill.Data.Curation;

/// <summary>Drops answers the verifier did not find correct; what it could not read is counted apart from what is wrong.</summary>
public sealed class VerdictRule : ICurationRule
{
    public string? DropReason(Trace trace, Verdict verdict) => verdict switch
    {
        Verdict.Correct => null,
        Verdict.Incorrect => "wrong",
        Verdict.Undecidable => "undecidable",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, null),
    };
}
