using Distill.Student.Training;

namespace Distill.Student.Distillation;

/// <summary>An example with what the teacher thought at each learned token: its best tokens, best first.</summary>
/// <param name="Tokens">Prompt and the teacher's own completion, token by token.</param>
/// <param name="FirstSupervised">Length of the prompt.</param>
/// <param name="Top">k: alternatives per learned token.</param>
/// <param name="TopIds">[learned × k]</param>
/// <param name="TopLogProbabilities">[learned × k], at temperature 1.</param>
public sealed record TeacherSequence(IReadOnlyList<int> Tokens, int FirstSupervised, int Top, int[] TopIds, float[] TopLogProbabilities)
    : TrainingSequence(Tokens, FirstSupervised)
{
    /// <exception cref="ArgumentException">The alternatives are not k for every learned token.</exception>
    public static TeacherSequence Of(IReadOnlyList<int> tokens, int firstSupervised, IReadOnlyList<int> topIds, IReadOnlyList<float> topLogProbabilities)
    {
        int learned = tokens.Count - firstSupervised;
        if (learned < 1 || topIds.Count == 0 || topIds.Count % learned != 0 || topIds.Count != topLogProbabilities.Count)
            throw new ArgumentException($"{topIds.Count} ids and {topLogProbabilities.Count} log-probabilities are not k alternatives for each of {learned} learned tokens.");
        return new TeacherSequence(tokens, firstSupervised, topIds.Count / learned, [.. topIds], [.. topLogProbabilities]);
    }

    public ReadOnlySpan<int> IdsAt(int position) => TopIds.AsSpan(position * Top, Top);

    public ReadOnlySpan<float> LogProbabilitiesAt(int position) => TopLogProbabilities.AsSpan(position * Top, Top);
}
