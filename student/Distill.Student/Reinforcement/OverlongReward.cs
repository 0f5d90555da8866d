using Distill.Data.Verification;
using Distill.Generation;

namespace Distill.Student.Reinforcement;

/// <summary>
/// 0 up to limit − margin tokens, then a straight line to −1 at the limit, −1 beyond: DAPO's soft overlong punishment (Yu et al. 2025, arXiv
/// 2503.14476, equation 13).
/// </summary>
/// <param name="limit">Tokens from which on the whole penalty applies.</param>
/// <param name="margin">Tokens over which it grows; 1 to <paramref name="limit"/>.</param>
public sealed class OverlongReward(int limit, int margin) : IRewardPart
{
    public string Name => "length";

    public double Of(Verdict verdict, Completion completion) => Of(completion.Tokens.Count);

    public double Of(int tokens) => tokens >= limit ? -1 : Math.Min(0, (double)(limit - margin - tokens) / margin);
}
