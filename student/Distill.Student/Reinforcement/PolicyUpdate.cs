using Distill.Data.Problems;
using Distill.Student.Monitoring;
using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>One update: rollouts, advantages, gradient, step of the optimizer. One thread.</summary>
/// <param name="distributions">In place of the loss on tokens, where the teacher's whole distributions are learned from.</param>
internal sealed class PolicyUpdate(
    BatchSampling sampling, RewardRule rewards, IGradientModel model, DivergenceWatch watch, IReferencePolicy? reference,
    GroupRelativeOptions options, TimeProvider clock, TeacherPass? distributions = null)
{
    private readonly bool skipsNotFinite = options.Alarms.OfType<NotFiniteAlarm>().Any();

    public ReinforcementStepReport Run(Func<int, int, Problem> problems, int step, double rate, CancellationToken cancellation)
    {
        long began = clock.GetTimestamp();
        var batch = sampling.Sample(model.Parameters, problems, step, cancellation);
        double generated = clock.GetElapsedTime(began).TotalSeconds;
        began = clock.GetTimestamp();
        var learned = Learnable(batch.Kept);
        if (reference is not null && distributions is null && learned.Count > 0) learned = [.. reference.Score(learned, cancellation)];
        (learned, double floor) = Uncertain(learned);
        var loss = Loss(learned, batch.Kept.Sum(group => group.Count), floor);
        var probe = new MismatchProbe(loss);
        (double norm, double entropy, double? divergence) = (0, 0, null);
        if (learned.Count > 0)
        {
            var pass = distributions?.Differentiate(learned, probe, cancellation) ?? model.Differentiate(learned, probe);
            entropy = pass.MeanEntropy;
            if (distributions is not null) divergence = pass.Loss / options.TeacherWeight;
            norm = Update(rate, pass.Loss);
            norm = Math.Max(norm, Again(learned, loss, rate, cancellation));
        }

        var all = batch.All.SelectMany(group => group).ToList();
        return new ReinforcementStepReport(
            step + 1, options.Steps, Mean(all.Select(rollout => rollout.Reward)), Share(batch.All, SampledBatch.IsDead),
            Share(all, rollout => rollout.Truncated), entropy,
            all.Average(rollout => rollout.Completion.Tokens.Count), norm, probe.Mean, rate,
            all.Sum(rollout => (long)rollout.Completion.Tokens.Count), generated,
            clock.GetElapsedTime(began).TotalSeconds, null)
        {
            LargestMismatch = probe.Largest,
            TeacherDivergence = divergence,
            ReferenceDistance = reference is null ? null : options.TeacherWeight > 0 ? probe.ReferenceDifference : probe.ReferenceDistance,
            RewardParts = rewards.Names.Index()
            .ToDictionary(part => part.Item, part => Mean(all.Select(rollout => rollout.Earned[part.Index]))),
            Resampled = batch.All.Count - options.ProblemsPerStep,
            StayedDead = batch.StayedDead,
            Clipped = options.UpdatesPerBatch > 1 && loss is PolicyLoss { Clips: var clips } ? (clips.Low, clips.High) : null,
        };
    }

    private ITokenLoss Loss(List<Rollout> learned, int completions, double floor)
    {
        long tokens = learned.Sum(rollout => (long)rollout.SupervisedCount);
        if (options.TeacherWeight > 0) return new OnPolicyDistillationLoss(Math.Max(1, tokens), options.TeacherWeight);
        var divisor = new PolicyDivisor(options.Aggregation, Math.Max(1, tokens), completions, options.MaxTokens);
        return new PolicyLoss(options.ToSurrogate(), options.Ratio, divisor, options.ToReference(), floor);
    }

    // Before the loss, because the share is that of the whole step and no micro-batch knows it.
    private (List<Rollout> Learned, double Floor) Uncertain(List<Rollout> learned)
    {
        if (options.TopEntropy is not { } share || learned.Count == 0) return (learned, double.NegativeInfinity);
        var entropies = model.Entropies(learned);
        return ([.. learned.Select((rollout, index) => rollout with { Entropies = entropies[index] })],
            EntropyFloor.Of(entropies.SelectMany(values => values), share));
    }

    // What the first update measured was the distance of two computations; from the second on it is the policy itself that has moved.
    private double Again(List<Rollout> learned, ITokenLoss loss, double rate, CancellationToken cancellation)
    {
        double largest = 0;
        for (int update = 1; update < options.UpdatesPerBatch; update++)
        {
            var pass = distributions?.Differentiate(learned, new MismatchProbe(loss), cancellation) ?? model.Differentiate(learned, loss);
            largest = Math.Max(largest, Update(rate, pass.Loss));
        }

        return largest;
    }

    // Of what is skipped the alarm tells.
    private double Update(double rate, double loss) =>
        skipsNotFinite ? watch.UpdateOrSkip(model.Gradient, rate, loss) : watch.Update(model.Gradient, rate, loss);

    private List<Rollout> Learnable(IReadOnlyList<IReadOnlyList<Rollout>> groups)
    {
        var learnable = new List<Rollout>();
        double[][] advantages = GroupAdvantage.Of(
            [.. groups.Select(group => (IReadOnlyList<double>)[.. group.Select(rollout => rollout.Reward)])], options.Scale);
        foreach (var (index, group) in groups.Index())
        {
            for (int i = 0; i < group.Count; i++)
            {
                // Without an advantage only the pull towards the reference, or the teacher, is left.
                if ((advantages[index][i] == 0 && reference is null) || (options.MaskTruncated && group[i].Truncated)) continue;
                learnable.Add(group[i] with { Advantage = (float)advantages[index][i] });
            }
        }

        return learnable;
    }

    // Over what is a number; 0 where nothing is.
    private static double Mean(IEnumerable<double> rewards) => rewards.Where(reward => !double.IsNaN(reward)).DefaultIfEmpty(0).Average();

    private static double Share<T>(IReadOnlyCollection<T> items, Func<T, bool> condition) =>
        items.Count == 0 ? 0 : (double)items.Count(condition) / items.Count;
}

/// <summary>
/// Which tokens a policy loss learns from where it learns from uncertain ones alone: those where the policy had a choice decide what a
/// completion becomes (Wang et al. 2025, arXiv 2506.01939).
/// </summary>
internal static class EntropyFloor
{
    /// <summary>The entropy from which on tokens belong to the most uncertain share: a quantile, interpolated between neighbours.</summary>
    /// <param name="share">0..1, e.g. 0.2.</param>
    public static double Of(IEnumerable<float> entropies, double share)
    {
        float[] sorted = [.. entropies.Order()];
        if (sorted.Length == 0) return double.NegativeInfinity;
        double place = (1 - share) * (sorted.Length - 1);
        int below = (int)place;
        double next = sorted[Math.Min(below + 1, sorted.Length - 1)];
        return sorted[below] + ((place - below) * (next - sorted[below]));
    }
}
