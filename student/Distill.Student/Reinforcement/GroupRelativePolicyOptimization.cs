using Distill.Data.Problems;
using Distill.Student.Model;
using Distill.Student.Monitoring;
using Distill.Student.Training;

namespace Distill.Student.Reinforcement;

/// <summary>
/// GRPO with verifiable rewards: sample a group of completions per problem from the current policy, reward what the verifier
/// accepts, push towards the better ones of each group. One update per batch of rollouts, or a few; no value network. Ends with the weights
/// that did best on held-out problems, sampled and greedy (<see cref="PolicyScore.Worth"/>), because accuracy can fall again; those of the
/// start where none did better. Papers: Shao et al. 2024 (arXiv 2402.03300), Yu et al. 2025 (arXiv 2503.14476). One thread calls it.
/// </summary>
/// <param name="teacher">
/// Needed with <see cref="GroupRelativeOptions.TeacherWeight"/>, and then in place of a reference; stays the caller's.
/// </param>
internal sealed class GroupRelativePolicyOptimization(
    IPolicyServer server, RolloutCollection collection, GroupRelativeOptions options, TimeProvider clock, IReferencePolicy? teacher = null)
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(15);

    /// <param name="parameters">Changed in place; at the end the best on <paramref name="heldOut"/>.</param>
    /// <param name="problems">
    /// (step, place) → problem to train on; a pure function, so a step's problems do not depend on earlier ones. Places from
    /// <see cref="GroupRelativeOptions.ProblemsPerStep"/> on replace problems whose groups are dead.
    /// </param>
    /// <param name="heldOut">Validation problems; never trained on.</param>
    /// <param name="statePath">Where the state is kept; continued from when it exists, deleted by nobody. Null keeps none.</param>
    /// <param name="warning">Told of a state that cannot be continued from, which is set aside; null: that is an exception.</param>
    /// <exception cref="OperationCanceledException">
    /// Between two steps after saving the state, or within the rollouts; then the state saved last stands.
    /// </exception>
    /// <exception cref="UnusableStateException">
    /// The state is damaged or of another training, and <paramref name="warning"/> is null.
    /// </exception>
    /// <exception cref="TrainingDivergedException">
    /// The start, a gradient or the result is not finite, and no alarm watches for it.
    /// </exception>
    public ReinforcementResult Run(
        FlatParameters parameters, Func<int, int, Problem> problems, IReadOnlyList<Problem> heldOut, string? statePath,
        Action<ReinforcementStepReport> afterStep, CancellationToken cancellation, Action<string>? warning = null)
    {
        if (options.TeacherWeight > 0 && teacher is null)
            throw new InvalidOperationException("A teacher is to be learned from, and none was given.");
        if (options is { TeacherWeight: > 0, ReferenceWeight: > 0 })
            throw new InvalidOperationException("There is one reference: a teacher or the start.");
        using var optimizer = new AdamW(parameters, options.Training.Optimizer);
        var watch = new DivergenceWatch(parameters, optimizer, options.Training.ToSchedule(), options.Steps);
        watch.RequireStart();
        // before a state overwrites them
        using var reference = options.ReferenceWeight > 0 ? new PolicyReference(parameters, options) : null;
        using var average = options.WeightAverage is { } decay ? new WeightAverage(parameters, decay) : null;
        var file = statePath is null ? null : new TrainingState(statePath, DigestOf(parameters, heldOut), parameters, optimizer, average);
        using var model = GradientModels.Create(parameters, options.Training, options.LongestSequence);
        using var distributions = DistributionsOf(model);
        ReinforcementState? state = null;
        file?.TryLoad(warning, read => state = ReinforcementState.Read(read, parameters.Count));
        var looks = new PolicyLooks(server, collection, heldOut, options, parameters, average);
        using var carried = state ??= looks.Start(cancellation);
        var update = new PolicyUpdate(
            new BatchSampling(server, collection, options), collection.Rewards, model, watch, options.TeacherWeight > 0 ? teacher
            : reference, options, clock, distributions);
        long saved = clock.GetTimestamp();
        bool stopped = false;
        while (state.Step < options.Steps && !stopped)
        {
            if (cancellation.IsCancellationRequested) file?.Save(state.ToTensors());
            cancellation.ThrowIfCancellationRequested();
            var report = Advance(update, problems, looks, state, cancellation);
            afterStep(report);
            stopped = report.Findings.Any(finding => finding.Stops);
            if (file is null || stopped || clock.GetElapsedTime(saved) < SaveEvery) continue;
            file.Save(state.ToTensors());
            saved = clock.GetTimestamp();
        }

        state.Best.CopyTo(parameters.Values);
        watch.RequireResult();
        return new ReinforcementResult(
            state.Before, state.BestScore, state.BestStep, state.Step, AlarmList.Over(options.Alarms, state.History))
        {
            CompletionTokens = state.CompletionTokens,
        };
    }

    private ReinforcementStepReport Advance(
        PolicyUpdate update, Func<int, int, Problem> problems, PolicyLooks looks, ReinforcementState state, CancellationToken cancellation)
    {
        int step = state.Step;
        var schedule = options.Training.ToSchedule();
        var report = update.Run(problems, step, schedule.At((double)step / options.Steps), cancellation);
        looks.CountUpdate();
        state.Step++;
        state.CompletionTokens += report.CompletionTokens;
        if (looks.IsDue(state.Step)) report = report with { HeldOut = looks.Look(state, cancellation) };
        if (options.Alarms.Count == 0) return report;
        state.History.Add(MomentOf(report, state.Before));
        return report with { Findings = AlarmList.At(options.Alarms, state.History) };
    }

    private static TrainingMoment MomentOf(ReinforcementStepReport report, PolicyScore start) => new(
        report.Step, report.MeanReward, report.HeldOut?.Worth(start) ?? double.NaN, report.GradientNorm == 0 ? double.NaN
        : report.Entropy, report.MeanTokens, report.Truncated,
        report.DeadGroups, report.GradientNorm);

    // Rewards, alarms and problems are functions and stay outside: whoever keeps the state keeps it for one of each.
    private string DigestOf(FlatParameters start, IReadOnlyList<Problem> heldOut)
    {
        using var digest = new TrainingDigest();
        digest.Add("reinforcement").Add(start.Values).Add(options.Training)
            .Add(options.Steps, options.ProblemsPerStep, options.Samples, options.MaxTokens)
            .Add(options.ResampleRounds, options.EvaluateEvery, options.EvaluationSamples, (long)options.Ratio, (long)options.Aggregation,
            (long)options.Scale)
            .Add(options.MaskTruncated ? 1L : 0L, unchecked((long)options.Seed))
            .Add(options.Temperature, options.ClipLow, options.ClipHigh, options.RatioCap, options.ReferenceWeight);
        digest.AddPasses(GradientModels.IsFused(start, options.Training));
        foreach (var problem in heldOut) digest.Add(problem.Id);
        options.AddTo(digest);
        return digest.Finish();
    }

    private TeacherPass? DistributionsOf(IGradientModel model) =>
        options is not { TeacherWeight: > 0, TeacherDivergence: not TeacherDivergence.Token } ? null
        : teacher is ITeacherPolicy telling ? new TeacherPass(model, telling, options)
        : throw new InvalidOperationException("The teacher tells of no distributions, and they are to be learned from.");
}
