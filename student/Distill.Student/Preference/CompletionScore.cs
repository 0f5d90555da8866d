namespace Distill.Student.Preference;

/// <summary>One completion of a pair as a loss sees it.</summary>
/// <param name="LogProbability">Summed over its tokens, under the weights that are trained.</param>
/// <param name="Reference">The same under the weights the training started from; 0 where a loss has no use for it.</param>
/// <param name="Tokens">At least 1.</param>
public readonly record struct CompletionScore(double LogProbability, double Reference, int Tokens)
{
    /// <summary>log π/π_reference of the whole completion, in nats.</summary>
    public double LogRatio => LogProbability - Reference;

    public double LogProbabilityPerToken => LogProbability / Tokens;

    public double LogRatioPerToken => LogRatio / Tokens;
}

/// <summary>A better and a worse completion of one prompt.</summary>
public readonly record struct ScoredPair(CompletionScore Chosen, CompletionScore Rejected);

/// <summary>Derivatives of a step's loss by the summed log-probabilities of a pair: those of each of their tokens too.</summary>
public readonly record struct PairSlopes(double Chosen, double Rejected);
