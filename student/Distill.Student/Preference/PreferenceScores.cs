using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>
/// The pairs of a training with their log-probabilities under the weights it starts from, which are computed once and stay. Scores any of
/// the pairs under the model's current weights. One thread.
/// </summary>
internal sealed class PreferenceScores
{
    private readonly IGradientModel model;
    private readonly IReadOnlyList<PreferencePair> pairs;
    private readonly IReadOnlyList<TrainingSequence> unrelated;
    private readonly double[] references;

    /// <param name="model">With the weights the training starts from.</param>
    public PreferenceScores(IGradientModel model, IReadOnlyList<PreferencePair> pairs, PreferenceLossKind kind)
    {
        (this.model, this.pairs) = (model, pairs);
        unrelated = kind.UsesUnrelated ? UnrelatedCompletions.Of(pairs) : [];
        var every = SequencesOf([.. Enumerable.Range(0, pairs.Count)]);
        references = kind.UsesReference ? Sums(model.Score(every)) : new double[every.Count];
    }

    /// <summary>Chosen, then rejected completions of these pairs, then what is not differentiated.</summary>
    public IReadOnlyList<TrainingSequence> SequencesOf(IReadOnlyList<int> indices) =>
        [.. indices.Select(index => pairs[index].Chosen), .. indices.Select(index => pairs[index].Rejected), .. unrelated.Count == 0 ? []
        : indices.Select(index => unrelated[index])];

    /// <param name="earlier">Rewards of the steps before.</param>
    public PreferenceBatch Score(IReadOnlyList<int> indices, RewardMean earlier)
    {
        double[] sums = Sums(model.Score(SequencesOf(indices)));
        int count = indices.Count;
        return new PreferenceBatch(
        [
            .. indices.Select((index, place) => new ScoredPair(
                new CompletionScore(sums[place], references[index], pairs[index].Chosen.SupervisedCount),
                new CompletionScore(sums[count + place], references[pairs.Count + index], pairs[index].Rejected.SupervisedCount))),
        ])
        {
            UnrelatedLogRatios = unrelated.Count == 0 ? []
                : [.. indices.Select((index, place) => sums[(2 * count) + place] - references[(2 * pairs.Count) + index])],
            Earlier = earlier,
        };
    }

    // In fp64: one long completion's sum in fp32 would lose what two completions differ by.
    private static double[] Sums(IReadOnlyList<float[]> scores) => [.. scores.Select(tokens => tokens.Sum(token => (double)token))];
}
