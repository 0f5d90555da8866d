using Distill.Data.Verification;
using Distill.Generation;

namespace Distill.Student.Reinforcement;

/// <summary>1 for a correct answer, else 0.</summary>
public sealed class VerdictReward : IRewardPart
{
    public string Name => "verdict";

    public double Of(Verdict verdict, Completion completion) => verdict == Verdict.Correct ? 1 : 0;
}
