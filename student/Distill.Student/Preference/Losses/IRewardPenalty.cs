namespace Distill.Student.Preference.Losses;

/// <summary>A loss of the two rewards of a pair, where more than their difference counts. Stateless.</summary>
public interface IRewardPenalty
{
    RewardPenalty Of(double chosen, double rejected);
}

/// <summary>Value, and derivatives by the two rewards.</summary>
public readonly record struct RewardPenalty(double Value, double ChosenSlope, double RejectedSlope);
