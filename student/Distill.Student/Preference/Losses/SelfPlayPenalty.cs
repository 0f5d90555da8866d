namespace Distill.Student.Preference.Losses;

/// <summary>(c/β − 1/2β)² + (r/β + 1/2β)²: SPPO with hard labels (Wu et al. 2024, arXiv 2405.00675).</summary>
public sealed class SelfPlayPenalty(double beta) : IRewardPenalty
{
    public RewardPenalty Of(double chosen, double rejected)
    {
        double above = (chosen - 0.5) / beta, below = (rejected + 0.5) / beta;
        return new RewardPenalty((above * above) + (below * below), 2 * above / beta, 2 * below / beta);
    }
}
