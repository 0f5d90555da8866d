using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>Two completions of one prompt, the first the better.</summary>
public sealed record PreferencePair(TrainingSequence Chosen, TrainingSequence Rejected)
{
    public int Longest => Math.Max(Chosen.Tokens.Count, Rejected.Tokens.Count);
}

/// <summary>A completion with the derivative of the step's loss by each of its tokens' log-probabilities.</summary>
public sealed record WeightedSequence(IReadOnlyList<int> Tokens, int FirstSupervised, double Slope) : TrainingSequence(Tokens, FirstSupervised);
