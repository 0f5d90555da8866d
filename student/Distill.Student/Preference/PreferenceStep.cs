using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>One optimiser step: score, slopes over the whole step, gradient, update. One thread.</summary>
internal sealed class PreferenceStep(
    IGradientModel model, AdamW optimizer, DivergenceWatch watch, PreferenceScores scores, PreferenceLossKind kind,
    PreferenceLossOptions constants)
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
        Rewards = Rewards.With(
            [.. batch.Pairs.SelectMany(
                pair => (double[])[kind.Reward(pair.Chosen, constants.Beta), kind.Reward(pair.Rejected, constants.Beta)])]);
        long tokens = weighted.Sum(sequence => (long)sequence.Tokens.Count),
            learned = weighted.Sum(sequence => (long)sequence.SupervisedCount);
        return new PreferenceStepReport(
            new StepReport(optimizer.Steps, 0, value, norm, rate, entropy, tokens, learned, 0),
            PreferenceMetrics.Of(kind, constants.Beta, batch.Pairs));
    }

    private List<WeightedSequence> Weighted(IReadOnlyList<int> pairs, PairSlopes[] slopes)
    {
        double[] all = [.. slopes.Select(slope => slope.Chosen), .. slopes.Select(slope => slope.Rejected)];
        return [.. scores.SequencesOf(pairs).Take(all.Length)
            .Select((sequence, place) => new WeightedSequence(sequence.Tokens, sequence.FirstSupervised, all[place]))];
    }
}

/// <summary>
/// Σ slope · log π(token). At the weights where the slopes were taken its gradient is that of the loss they belong to, by the chain rule;
/// so a loss over whole steps is differentiated micro-batch by micro-batch. Every sequence must be a <see cref="WeightedSequence"/>.
/// </summary>
internal sealed class LinearTokenLoss : ITokenLoss
{
    public double Evaluate(TokenBatch batch, ReadOnlySpan<float> logProbabilities, Span<float> derivatives)
    {
        double sum = 0;
        for (int sequence = 0; sequence < batch.Sequences.Count; sequence++)
        {
            double slope = ((WeightedSequence)batch.Sequences[sequence]).Slope;
            for (int i = batch.SupervisedStarts[sequence]; i < batch.SupervisedStarts[sequence + 1]; i++)
            {
                sum += slope * logProbabilities[i];
                derivatives[i] = (float)slope;
            }
        }

        return sum;
    }
}
