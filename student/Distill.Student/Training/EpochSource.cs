namespace Distill.Student.Training;

/// <summary>
/// A fixed list of examples, shuffled anew for every epoch and cut into steps of about equal numbers of tokens. Immutable.
/// </summary>
public sealed class EpochSource : IExampleSource
{
    private readonly List<IReadOnlyList<TrainingSequence>> steps = [];

    /// <param name="batchTokens">A step ends with the sequence that reaches this many tokens; the rest of an epoch is a step of its own if it has at least half of that, else it joins the last.</param>
    public EpochSource(IReadOnlyList<TrainingSequence> examples, int epochs, int batchTokens, ulong seed)
    {
        if (examples.Count == 0) throw new ArgumentException("There is nothing to train on: the list of examples is empty.");
        for (int epoch = 0; epoch < epochs; epoch++) AddEpoch(examples, batchTokens, seed + (ulong)epoch * 0x9E3779B97F4A7C15);
    }

    public int Steps => steps.Count;

    public IReadOnlyList<TrainingSequence> At(int step) => steps[step];

    private void AddEpoch(IReadOnlyList<TrainingSequence> examples, int batchTokens, ulong seed)
    {
        var current = new List<TrainingSequence>();
        int tokens = 0, first = steps.Count;
        foreach (int index in Permutation.Of(examples.Count, seed))
        {
            current.Add(examples[index]);
            tokens += examples[index].Tokens.Count;
            if (tokens < batchTokens) continue;
            steps.Add(current);
            (current, tokens) = ([], 0);
        }

        if (current.Count == 0) return;
        if (tokens * 2 >= batchTokens || steps.Count == first) steps.Add(current);
        else steps[^1] = [.. steps[^1], .. current];
    }
}
