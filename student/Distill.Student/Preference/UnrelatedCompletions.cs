using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>
/// Each pair's prompt with a completion of the next pair that has another prompt, the chosen and the rejected one in turn: what KTO estimates the
/// distance to the reference on.
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
        new([.. Prompt(prompt).Concat(completion.Tokens.Skip(completion.FirstSupervised)).Take(Math.Max(longest, prompt.FirstSupervised + 1))], prompt.FirstSupervised);

    private static IEnumerable<int> Prompt(TrainingSequence sequence) => sequence.Tokens.Take(sequence.FirstSupervised);
}
