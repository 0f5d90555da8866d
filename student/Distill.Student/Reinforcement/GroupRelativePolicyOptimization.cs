using Distill.Data.Problems;
using Distill.Data.Verification;
using Distill.Generation;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// GRPO with verifiable rewards: sample a group of completions per problem from the current policy, reward what the verifier
/// accepts, push towards the better ones of each group. One update per batch of rollouts, so the policy is its own reference; no KL
/// term and no value network. Ends with the weights that did best on held-out problems, because sampled accuracy can fall again.
/// Papers: Shao et al. 2024 (arXiv 2402.03300), Yu et al. 2025 (arXiv 2503.14476). One thread calls it.
/// </summary>
public sealed class GroupRelativePolicyOptimization(IPolicyServer server, RolloutCollection collection, GroupRelativeOptions options, TimeProvider clock)
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(15);

    /// <param name="parameters">Changed in place; at the end the best on <paramref name="heldOut"/>.</param>
    /// <param name="problems">(step, place) → problem to train on; a pure function, so a step's problems do not depend on earlier ones.</param>
    /// <param name="heldOut">Validation problems; never trained on.</param>
    /// <param name="statePath">Where the state is kept; continued from when it exists, deleted by nobody. Null keeps none.</param>
    /// <exception cref="OperationCanceledException">Between two steps after saving the state, or within the rollouts; then the state saved last stands.</exception>
    public ReinforcementResult Run(
        FlatParameters parameters, Func<int, int, Problem> problems, IReadOnlyList<Problem> heldOut, string? statePath, Action<ReinforcementStepReport> afterStep,
        CancellationToken cancellation)
    {
        using var model = GradientModels.Create(parameters, options.Training);
        var optimizer = new AdamW(parameters, options.Training.Optimizer);
        var state = File.Exists(statePath) ? ReinforcementState.Load(statePath, parameters, optimizer) : Start(parameters, heldOut, cancellation);
        long saved = clock.GetTimestamp();
        while (state.Step < options.Steps)
        {
            if (statePath is not null && cancellation.IsCancellationRequested) state.Save(statePath, parameters, optimizer);
            cancellation.ThrowIfCancellationRequested();
            afterStep(Advance(model, optimizer, problems, heldOut, state, cancellation));
            if (statePath is null || clock.GetElapsedTime(saved) < SaveEvery) continue;
            state.Save(statePath, parameters, optimizer);
            saved = clock.GetTimestamp();
        }

        state.Best.CopyTo(parameters.Span);
        return new ReinforcementResult(state.Before, state.BestScore, state.BestStep);
    }

    private ReinforcementState Start(FlatParameters parameters, IReadOnlyList<Problem> heldOut, CancellationToken cancellation)
    {
        double score = HeldOut(parameters, heldOut, cancellation);
        return new ReinforcementState { Before = score, BestScore = score, Best = parameters.Span.ToArray() };
    }

    private ReinforcementStepReport Advance(
        IGradientModel model, AdamW optimizer, Func<int, int, Problem> problems, IReadOnlyList<Problem> heldOut, ReinforcementState state, CancellationToken cancellation)
    {
        int step = state.Step;
        var schedule = new LearningRateSchedule(options.Training.LearningRate, options.Training.Decay, options.Training.WarmupShare);
        var drawn = Enumerable.Range(0, options.ProblemsPerStep).Select(place => problems(step, place)).ToList();
        var report = Step(model, optimizer, schedule.At((double)step / options.Steps), drawn, step, cancellation);
        state.Step++;
        if (state.Step % options.EvaluateEvery != 0 && state.Step != options.Steps) return report;
        double score = HeldOut(model.Parameters, heldOut, cancellation);
        if (score > state.BestScore) (state.BestScore, state.Best, state.BestStep) = (score, model.Parameters.Span.ToArray(), state.Step);
        return report with { HeldOut = score };
    }

    private ReinforcementStepReport Step(IGradientModel model, AdamW optimizer, double rate, List<Problem> problems, int step, CancellationToken cancellation)
    {
        long began = clock.GetTimestamp();
        IReadOnlyList<IReadOnlyList<Rollout>> groups;
        using (var policy = server.Serve(model.Parameters))
        {
            groups = collection.Collect(
                policy, problems, options.Samples, options.Temperature,
                (problem, sample) => SeedSequence.Derive(options.Seed + (ulong)step, SeedSequence.Hash(problem.Id), (ulong)sample), cancellation);
        }

        double generated = clock.GetElapsedTime(began).TotalSeconds;
        began = clock.GetTimestamp();
        var learned = Learnable(groups);
        long tokens = learned.Sum(rollout => (long)rollout.SupervisedCount);
        var mismatch = new MismatchProbe(new ClippedPolicyLoss(Math.Max(1, tokens), options.ClipLow, options.ClipHigh));
        (double norm, double entropy) = (0, 0);
        if (learned.Count > 0)
        {
            entropy = model.Differentiate(learned, mismatch).MeanEntropy;
            norm = optimizer.Update(model.Gradient, rate);
        }

        var all = groups.SelectMany(group => group).ToList();
        return new ReinforcementStepReport(
            step + 1, options.Steps, all.Average(rollout => rollout.Reward), Share(groups, group => group.All(rollout => rollout.Reward == group[0].Reward)),
            Share(all, rollout => rollout.Truncated), entropy, all.Average(rollout => rollout.Completion.Tokens.Count), norm, mismatch.Mean, rate,
            all.Sum(rollout => (long)rollout.Completion.Tokens.Count), generated, clock.GetElapsedTime(began).TotalSeconds, null);
    }

    private List<Rollout> Learnable(IReadOnlyList<IReadOnlyList<Rollout>> groups)
    {
        var learnable = new List<Rollout>();
        foreach (var group in groups)
        {
            double[] advantages = GroupAdvantage.Of([.. group.Select(rollout => rollout.Reward)], options.Scale);
            for (int i = 0; i < group.Count; i++)
            {
                if (advantages[i] == 0 || (options.MaskTruncated && group[i].Truncated)) continue;
                learnable.Add(group[i] with { Advantage = (float)advantages[i] });
            }
        }

        return learnable;
    }

    private double HeldOut(FlatParameters parameters, IReadOnlyList<Problem> problems, CancellationToken cancellation)
    {
        using var policy = server.Serve(parameters);
        var groups = collection.Collect(
            policy, problems, options.EvaluationSamples, temperature: 1,
            (problem, sample) => SeedSequence.Derive(options.Seed ^ 0x6865_6C64, SeedSequence.Hash(problem.Id), (ulong)sample), cancellation);
        return Share(groups.SelectMany(group => group).ToList(), rollout => rollout.Verdict == Verdict.Correct);
    }

    private static double Share<T>(IReadOnlyCollection<T> items, Func<T, bool> condition) => items.Count == 0 ? 0 : (double)items.Count(condition) / items.Count;
}
