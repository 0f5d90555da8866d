using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>
/// Each pair's prompt with a completion of the next pair that has another prompt, the chosen and the rejected one in turn: what KTO estimates the
/// distance to the reference on.
/// </summary>
internal static class UnrelatedCompletions
{
    /// <exception cref="ArgumentException">All pairs have one prompt.</exception>
    public static IReadOnlyList<TrainingSequence> Of(IReadOnlyList<PreferencePair> pairs)
    {
        int longest = pairs.Max(pair => pair.Longest);
        return [.. pairs.Select((pair, index) => Join(pair.Chosen, Other(pairs, index), longest))];
    }

    private static TrainingSequence Other(IReadOnlyList<PreferencePair> pairs, int index)
    {
        for (int step = 1; step < pairs.Count; step++)
        {
            var other = pairs[(index + step) % pairs.Count];
            if (!Prompt(other.Chosen).SequenceEqual(Prompt(pairs[index].Chosen))) return index % 2 == 0 ? other.Chosen : other.Rejected;
        }

        throw new ArgumentException("The distance to the reference is measured on completions of other prompts; all pairs have the same one.");
    }

    // Cut where it would be longer than anything else that the model is given.
    private static TrainingSequence Join(TrainingSequence prompt, TrainingSequence completion, int longest) =>
        new([.. Prompt(prompt).Concat(completion.Tokens.Skip(completion.FirstSupervised)).Take(Math.Max(longest, prompt.FirstSupervised + 1))], prompt.FirstSupervised);

    private static IEnumerable<int> Prompt(TrainingSequence sequence) => sequence.Tokens.Take(sequence.FirstSupervised);
}
