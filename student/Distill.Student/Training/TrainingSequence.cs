namespace Distill.Student.Training;

/// <summary>One example: whole token sequence, of which everything from <paramref name="FirstSupervised"/> on is learned.</summary>
/// <param name="Tokens">Prompt and completion.</param>
/// <param name="FirstSupervised">Index of the first learned token, at least 1: a token is predicted from what precedes it.</param>
public record TrainingSequence(IReadOnlyList<int> Tokens, int FirstSupervised)
{
    public int SupervisedCount => Tokens.Count - FirstSupervised;
}
