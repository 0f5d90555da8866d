using Distill.Data.Verification;
using Distill.Generation;

namespace Distill.Student.Reinforcement;

/// <summary>1 for a correct answer, else 0.</summary>
/// <param name="skipUndecidable">No number for a completion whose answer cannot be read, which then is learned from neither way; false: 0.</param>
public sealed class VerdictReward(bool skipUndecidable = false) : IRewardPart
{
    public string Name => "verdict";

    public double Of(Verdict verdict, Completion completion) => skipUndecidable && verdict == Verdict.Undecidable ? double.NaN : verdict == Verdict.Correct ? 1 : 0;
}
