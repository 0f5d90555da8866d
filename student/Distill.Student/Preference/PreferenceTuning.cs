using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>
/// Tunes a model to prefer the better of two completions: offline, on fixed pairs, against the weights it starts from (DPO, Rafailov et al.
/// 2023, arXiv 2305.18290, and its relatives). Each step scores its pairs, takes the loss's slopes over all of them, and differentiates
/// once. The parameters are changed in place. Saves its state on the way and continues from it exactly. One thread calls it.
/// </summary>
public sealed class PreferenceTuning : IDisposable
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(30);

    private readonly FlatParameters parameters;
    private readonly PreferenceOptions options;
    private readonly TimeProvider clock;
    private readonly IHeldOutMeasure? heldOut;
    private readonly PairSource source;
    private readonly AdamW optimizer;
    private readonly LearningRateSchedule schedule;
    private readonly DivergenceWatch watch;
    private readonly SupervisedProgress progress = new();
    private readonly IGradientModel model;
    private readonly PreferenceStep step;
    private readonly TrainingState? state;

    private PreferenceTuning(
        FlatParameters parameters, IReadOnlyList<PreferencePair> pairs, PreferenceOptions options, TimeProvider clock, string? statePath,
        IHeldOutMeasure? heldOut, Action<string>? warning)
    {
        if (options.HeldOut is not null && heldOut is null)
            throw new ArgumentNullException(nameof(heldOut), "Looks at held-out data are asked for without any.");
        (this.parameters, this.options, this.clock) = (parameters, options, clock);
        this.heldOut = options.HeldOut is null ? null : heldOut;
        source = new PairSource(pairs.Count, options.Epochs, options.PairsPerStep, options.Seed);
        string digest = statePath is null ? "" : DigestOf(pairs);
        optimizer = new AdamW(parameters, options.Training.Optimizer);
        schedule = new LearningRateSchedule(options.Training.LearningRate, options.Training.Decay, options.Training.WarmupShare);
        watch = new DivergenceWatch(parameters, optimizer, schedule, source.Steps);
        watch.RequireStart();
        var kind = PreferenceLosses.Get(options.Loss);
        model = GradientModels.Create(parameters, options.Training, Math.Max(pairs.Max(pair => pair.Longest), this.heldOut?.Longest ?? 0));
        try
        {
            var scores = new PreferenceScores(model, pairs, kind); // before a state overwrites the start
            step = new PreferenceStep(model, optimizer, watch, scores, kind, options.Constants);
            state = statePath is null ? null : new TrainingState(statePath, digest, parameters, optimizer);
            if (state?.TryLoad(warning, Restore) is true) watch.RequireStart();
        }
        catch
        {
            model.Dispose(); // the caller has nothing that could be disposed
            throw;
        }
    }

    /// <param name="parameters">The start and the reference; overwritten from the state when there is one.</param>
    /// <param name="heldOut">Examples whose loss is looked at where <see cref="PreferenceOptions.HeldOut"/> says so; else empty.</param>
    /// <param name="statePath">Where the state is kept; continued from when it exists, deleted by nobody. Null keeps none.</param>
    /// <param name="afterStep">Sees every step; before the state of that step is saved.</param>
    /// <param name="warning">Told of a state that cannot be continued from, which is set aside; null: that is an exception.</param>
    /// <exception cref="ArgumentException">There are no pairs, or no loss of this name.</exception>
    /// <exception cref="OperationCanceledException">
    /// Between two steps, after saving the state, or within a look; then the state saved last stands.
    /// </exception>
    /// <exception cref="UnusableStateException">
    /// The state is damaged or of another training, and <paramref name="warning"/> is null.
    /// </exception>
    /// <exception cref="TrainingDivergedException">The start, a loss, a gradient or the result is not finite.</exception>
    public static PreferenceResult Run(
        FlatParameters parameters, IReadOnlyList<PreferencePair> pairs, IReadOnlyList<TrainingSequence> heldOut, PreferenceOptions options,
        TimeProvider clock, string? statePath, Action<PreferenceStepReport> afterStep, CancellationToken cancellation,
        Action<string>? warning = null) => Run(
            parameters, pairs, options, clock, statePath, afterStep, cancellation,
            heldOut.Count == 0 ? null : new HeldOutLoss(heldOut), warning);

    /// <param name="heldOut">What is looked at; needed with <see cref="PreferenceOptions.HeldOut"/>.</param>
    internal static PreferenceResult Run(
        FlatParameters parameters, IReadOnlyList<PreferencePair> pairs, PreferenceOptions options, TimeProvider clock, string? statePath,
        Action<PreferenceStepReport> afterStep, CancellationToken cancellation, IHeldOutMeasure? heldOut = null,
        Action<string>? warning = null)
    {
        using var training = new PreferenceTuning(parameters, pairs, options, clock, statePath, heldOut, warning);
        return training.Run(afterStep, cancellation);
    }

    public void Dispose()
    {
        model.Dispose();
        optimizer.Dispose();
        progress.Dispose();
    }

    private PreferenceResult Run(Action<PreferenceStepReport> afterStep, CancellationToken cancellation)
    {
        long saved = clock.GetTimestamp();
        if (heldOut is not null && progress.Last is null) Look(cancellation);
        while (optimizer.Steps < source.Steps && !HasEnded())
        {
            if (cancellation.IsCancellationRequested) state?.Save(ToTensors());
            cancellation.ThrowIfCancellationRequested();
            long began = clock.GetTimestamp();
            var report = step.Run(source.At(optimizer.Steps), schedule.At(optimizer.Steps, source.Steps));
            var taken = report.Step with { Steps = source.Steps, Seconds = clock.GetElapsedTime(began).TotalSeconds };
            progress.Count(taken);
            afterStep(report with { Step = taken with { HeldOut = IsDue() ? Look(cancellation) : null } });
            if (state is null || clock.GetElapsedTime(saved) < SaveEvery) continue;
            state.Save(ToTensors());
            saved = clock.GetTimestamp();
        }

        if (progress.Best is not null) progress.BestValues.CopyTo(parameters.Values);
        watch.RequireResult();
        var result = new SupervisedResult(optimizer.Steps, source.Steps, progress.Tokens, progress.LearnedTokens, progress.Best);
        return new PreferenceResult(result, progress.First);
    }

    private bool IsDue() => options.HeldOut is { } looks && (optimizer.Steps % looks.Every == 0 || optimizer.Steps == source.Steps);

    private bool HasEnded() => options.HeldOut is { Patience: > 0 } looks && progress.LooksSinceBest >= looks.Patience;

    private double Look(CancellationToken cancellation)
    {
        var look = new HeldOutLook(optimizer.Steps, heldOut!.Of(model, cancellation));
        progress.Add(look, heldOut.HigherIsBetter, parameters.Values);
        return look.Value;
    }

    private IEnumerable<SafeTensor> ToTensors() =>
        [.. progress.ToTensors(),
        SafeTensor.Integers("rewards", [2], new[] { step.Rewards.Count, BitConverter.DoubleToInt64Bits(step.Rewards.Mean) })];

    private void Restore(SafeTensorsFile file)
    {
        progress.Restore(file, parameters.Count);
        long[] rewards = file.ReadIntegers("rewards");
        step.Rewards = new RewardMean(rewards[0], BitConverter.Int64BitsToDouble(rewards[1]));
    }

    private string DigestOf(IReadOnlyList<PreferencePair> pairs)
    {
        using var all = new TrainingDigest();
        var constants = options.Constants;
        all.Add("preference").Add(parameters.Values)
            .Add(pairs.Select(pair => pair.Chosen)).Add(pairs.Select(pair => pair.Rejected)).Add(options.Training).Add(options.Loss)
            .Add(constants.Beta, constants.LabelSmoothing, constants.Gamma, constants.DesirableWeight, constants.UndesirableWeight)
            .Add(options.Epochs, options.PairsPerStep, unchecked((long)options.Seed), options.HeldOut?.Every
            ?? 0, options.HeldOut?.Patience ?? 0);
        all.AddPasses(GradientModels.IsFused(parameters, options.Training));
        heldOut?.AddTo(all);
        return all.Finish();
    }
}
