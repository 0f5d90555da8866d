using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>One optimiser step: score, slopes over the whole step, gradient, update. One thread.</summary>
internal sealed class PreferenceStep(
    IGradientModel model, AdamW optimizer, DivergenceWatch watch, PreferenceScores scores, PreferenceLossKind kind, PreferenceLossOptions constants)
{
    private readonly IPreferenceLoss loss = kind.Create(constants);

    /// <summary>Of all steps so far.</summary>
    public RewardMean Rewards { get; set; }

    /// <returns>Without the number of planned steps and the time, which are the caller's.</returns>
    public PreferenceStepReport Run(IReadOnlyList<int> pairs, double rate)
    {
        var batch = scores.Score(pairs, Rewards);
        var slopes = new PairSlopes[pairs.Count];
        double value = loss.Evaluate(batch, slopes);
        var weighted = Weighted(pairs, slopes);
        double entropy = model.Differentiate(weighted, new LinearTokenLoss()).MeanEntropy, norm = watch.Update(model.Gradient, rate, value);
        Rewards = Rewards.With([.. batch.Pairs.SelectMany(pair => (double[])[kind.Reward(pair.Chosen, constants.Beta), kind.Reward(pair.Rejected, constants.Beta)])]);
        long tokens = weighted.Sum(sequence => (long)sequence.Tokens.Count), learned = weighted.Sum(sequence => (long)sequence.SupervisedCount);
        return new PreferenceStepReport(new StepReport(optimizer.Steps, 0, value, norm, rate, entropy, tokens, learned, 0), PreferenceMetrics.Of(kind, constants.Beta, batch.Pairs));
    }

    private List<WeightedSequence> Weighted(IReadOnlyList<int> pairs, PairSlopes[] slopes)
    {
        double[] all = [.. slopes.Select(slope => slope.Chosen), .. slopes.Select(slope => slope.Rejected)];
        return [.. scores.SequencesOf(pairs).Take(all.Length).Select((sequence, place) => new WeightedSequence(sequence.Tokens, sequence.FirstSupervised, all[place]))];
    }
}
