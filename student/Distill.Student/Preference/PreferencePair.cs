using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>Two completions of one prompt, the first the better.</summary>
public sealed record PreferencePair(TrainingSequence Chosen, TrainingSequence Rejected)
{
    public int Longest => Math.Max(Chosen.Tokens.Count, Rejected.Tokens.Count);
}

/// <summary>A completion with the derivative of the step's loss by each of its tokens' log-probabilities.</summary>
internal sealed record WeightedSequence(IReadOnlyList<int> Tokens, int FirstSupervised, double Slope) : TrainingSequence(
    Tokens, FirstSupervised);

/// <summary>
/// Which pairs each optimiser step compares, as a pure function of the step's number: shuffled anew for every epoch and cut into steps of
/// equally many; what is left of an epoch is a step of its own if it has at least half of that, else it joins the last. Immutable.
/// </summary>
internal sealed class PairSource
{
    private readonly List<int[]> steps = [];

    public PairSource(int pairs, int epochs, int pairsPerStep, ulong seed)
    {
        if (pairs == 0) throw new ArgumentException("There is nothing to train on: the list of pairs is empty.");
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            var cut = Permutation.Of(pairs, seed + (ulong)epoch * 0x9E3779B97F4A7C15).Chunk(pairsPerStep).ToList();
            if (cut.Count > 1 && cut[^1].Length * 2 < pairsPerStep)
            {
                cut[^2] = [.. cut[^2], .. cut[^1]];
                cut.RemoveAt(cut.Count - 1);
            }

            steps.AddRange(cut);
        }
    }

    public int Steps => steps.Count;

    /// <param name="step">0 to <see cref="Steps"/> − 1.</param>
    public IReadOnlyList<int> At(int step) => steps[step];
}

/// <summary>
/// Each pair's prompt with a completion of the next pair that has another prompt, the chosen and the rejected one in turn: what KTO
/// estimates the distance to the reference on.
/// </summary>
internal static class UnrelatedCompletions
{
    /// <returns>One a pair; none where all pairs have one prompt.</returns>
    public static IReadOnlyList<TrainingSequence> Of(IReadOnlyList<PreferencePair> pairs)
    {
        if (pairs.All(pair => HasPromptOf(pair, pairs[0]))) return [];
        int longest = pairs.Max(pair => pair.Longest);
        return [.. pairs.Select((pair, index) => Join(pair.Chosen, Other(pairs, index), longest))];
    }

    private static TrainingSequence Other(IReadOnlyList<PreferencePair> pairs, int index)
    {
        int other = (index + 1) % pairs.Count;
        while (HasPromptOf(pairs[other], pairs[index])) other = (other + 1) % pairs.Count;
        return index % 2 == 0 ? pairs[other].Chosen : pairs[other].Rejected;
    }

    private static bool HasPromptOf(PreferencePair pair, PreferencePair other) => PromptComparer.Instance.Equals(pair.Chosen, other.Chosen);

    // Cut where it would be longer than anything else that the model is given.
    private static TrainingSequence Join(TrainingSequence prompt, TrainingSequence completion, int longest) =>
        new([.. Prompt(prompt).Concat(completion.Tokens.Skip(completion.FirstSupervised))
        .Take(Math.Max(longest, prompt.FirstSupervised + 1))], prompt.FirstSupervised);

    private static IEnumerable<int> Prompt(TrainingSequence sequence) => sequence.Tokens.Take(sequence.FirstSupervised);
}
