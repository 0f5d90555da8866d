using Distill.Student.Adapters;
using Distill.Student.Distillation;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Supervised;

/// <summary>
/// Fine-tunes on examples whose completions alone are learned: cross-entropy normalised over the learned tokens of the whole
/// optimiser step. The parameters are changed in place. Saves its state on the way and continues from it exactly. One thread calls it.
/// </summary>
public sealed class SupervisedFineTuning : IDisposable
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(30);

    private readonly FlatParameters parameters;
    private readonly SupervisedOptions options;
    private readonly TimeProvider clock;
    private readonly IHeldOutMeasure? heldOut;
    private readonly EpochSource source;
    private readonly LowRankAdapters? adapters;
    private readonly ITrainedValues trained;
    private readonly AdamW optimizer;
    private readonly WeightAverage? average;
    private readonly SupervisedProgress progress = new();
    private readonly IGradientModel model;
    private readonly TrainingState? state;

    private SupervisedFineTuning(
        FlatParameters parameters, IReadOnlyList<TrainingSequence> examples, SupervisedOptions options, TimeProvider clock,
        string? statePath,
        IHeldOutMeasure? heldOut, Action<string>? warning)
    {
        if (options.HeldOut is not null && heldOut is null)
            throw new ArgumentNullException(nameof(heldOut), "Looks at held-out data are asked for without any.");
        if (options is { SoftLabels: not null, Loss: not null })
            throw new ArgumentException("Soft labels are a loss of their own: another one beside them is not taken.", nameof(options));
        if (options is { LowRank: not null, Training.Optimizer.Muon: true })
            throw new ArgumentException("Muon updates matrices of layers, and adapters are none.", nameof(options));
        (this.parameters, this.options, this.clock) = (parameters, options, clock);
        this.heldOut = options.HeldOut is null ? null : heldOut;
        source = new EpochSource(examples, options.Epochs, options.BatchTokens, options.Seed);
        adapters = options.LowRank is { } lowRank ? new LowRankAdapters(parameters, lowRank, options.Seed, options.AdapterDevice) : null;
        trained = adapters ?? (ITrainedValues)parameters;
        string digest = statePath is null ? "" : DigestOf(examples);
        optimizer = new AdamW(trained, options.Training.Optimizer);
        average = options.WeightAverage is { } decay ? new WeightAverage(trained, decay) : null;
        state = statePath is null ? null : new TrainingState(statePath, digest, trained, optimizer, average);
        state?.TryLoad(warning, file => progress.Restore(file, trained.Count));
        int longest = Math.Max(examples.Max(example => example.Tokens.Count), this.heldOut?.Longest ?? 0);
        model = adapters is null ? GradientModels.Create(parameters, options.Training, longest)
            : GradientModels.Create(parameters, adapters, options.LowRank!.Frozen, options.Training, longest);
    }

    /// <param name="parameters">The base; overwritten from the state when there is one.</param>
    /// <param name="heldOut">Examples whose loss is looked at where <see cref="SupervisedOptions.HeldOut"/> says so; else empty.</param>
    /// <param name="statePath">Where the state is kept; continued from when it exists, deleted by nobody. Null keeps none.</param>
    /// <param name="afterStep">Sees every step; before the state of that step is saved.</param>
    /// <param name="warning">Told of a state that cannot be continued from, which is set aside; null: that is an exception.</param>
    /// <exception cref="OperationCanceledException">
    /// Between two steps, after saving the state, or within a look; then the state saved last stands.
    /// </exception>
    /// <exception cref="UnusableStateException">
    /// The state is damaged or of another training, and <paramref name="warning"/> is null.
    /// </exception>
    /// <exception cref="TrainingDivergedException">The base, a loss, a gradient or the result is not finite.</exception>
    public static SupervisedResult Run(
        FlatParameters parameters, IReadOnlyList<TrainingSequence> examples, IReadOnlyList<TrainingSequence> heldOut,
        SupervisedOptions options, TimeProvider clock, string? statePath, Action<StepReport> afterStep, CancellationToken cancellation,
        Action<string>? warning = null) => Run(
            parameters, examples, options, clock, statePath, afterStep, cancellation,
            heldOut.Count == 0 ? null : new HeldOutLoss(heldOut), afterLook: null, warning);

    /// <param name="heldOut">What is looked at; needed with <see cref="SupervisedOptions.HeldOut"/>.</param>
    /// <param name="afterLook">
    /// Sees every look, with the weights that were looked at in the parameters; before <paramref name="afterStep"/>.
    /// </param>
    internal static SupervisedResult Run(
        FlatParameters parameters, IReadOnlyList<TrainingSequence> examples, SupervisedOptions options, TimeProvider clock,
        string? statePath,
        Action<StepReport> afterStep, CancellationToken cancellation, IHeldOutMeasure? heldOut = null,
        Action<HeldOutLook>? afterLook = null,
        Action<string>? warning = null)
    {
        using var training = new SupervisedFineTuning(parameters, examples, options, clock, statePath, heldOut, warning);
        return training.Run(afterStep, afterLook, cancellation);
    }

    /// <summary>
    /// A source's steps through forward, backward and update, from the optimizer's step count to the end: the same for pretraining and
    /// fine-tuning.
    /// </summary>
    /// <param name="watch">The caller's, who looks at start and result too; null: one for these steps.</param>
    /// <param name="loss">
    /// Loss of a step with so many learned tokens and examples; null: plain cross-entropy, which costs less than any other.
    /// </param>
    /// <param name="afterStep">Sees every step; may save state.</param>
    /// <param name="ended">Asked before every step whether the training ends early; null: never.</param>
    /// <exception cref="OperationCanceledException">Between two steps; the state is that of the last finished step.</exception>
    /// <exception cref="TrainingDivergedException">A loss or gradient is not finite; the step is not made.</exception>
    internal static void RunSteps(
        IGradientModel model, AdamW optimizer, LearningRateSchedule schedule, IExampleSource source, TimeProvider clock,
        Action<StepReport> afterStep,
        CancellationToken cancellation, DivergenceWatch? watch = null, Func<long, int, IDistributionLoss>? loss = null,
        Func<bool>? ended = null)
    {
        watch ??= new DivergenceWatch(model.Parameters, optimizer, schedule, source.Steps);
        while (optimizer.Steps < source.Steps && ended?.Invoke() is not true)
        {
            cancellation.ThrowIfCancellationRequested();
            long began = clock.GetTimestamp();
            var examples = source.At(optimizer.Steps);
            long learned = examples.Sum(example => (long)example.SupervisedCount);
            var pass = loss is null
                ? model.Differentiate(examples, new CrossEntropy(learned))
                : model.Differentiate(examples, loss(learned, examples.Count));
            double rate = schedule.At(optimizer.Steps, source.Steps);
            double norm = watch.Update(model.Gradient, rate, pass.Loss);
            afterStep(new StepReport(
                optimizer.Steps, source.Steps, pass.Loss, norm, rate, pass.MeanEntropy, examples.Sum(example => (long)example.Tokens.Count),
                learned, clock.GetElapsedTime(began).TotalSeconds)
            { Accuracy = pass.Accuracy });
        }
    }

    public void Dispose()
    {
        model.Dispose();
        average?.Dispose();
        optimizer.Dispose();
        adapters?.Dispose();
        progress.Dispose();
    }

    private SupervisedResult Run(Action<StepReport> afterStep, Action<HeldOutLook>? afterLook, CancellationToken cancellation)
    {
        var schedule = options.Training.ToSchedule();
        var watch = new DivergenceWatch(parameters, optimizer, schedule, source.Steps);
        watch.RequireStart();
        long saved = clock.GetTimestamp();
        bool whole = true; // whether everything that belongs to the last update was done
        try
        {
            RunSteps(model, optimizer, schedule, source, clock, AfterStep, cancellation, watch, LossOf(options), HasEnded);
        }
        catch (OperationCanceledException)
        {
            if (whole) state?.Save(progress.ToTensors());
            throw;
        }

        var result = Finish();
        watch.RequireResult();
        return result;

        void AfterStep(StepReport report)
        {
            whole = false;
            average?.Add(trained.Values);
            progress.Count(report);
            afterStep(report with { HeldOut = IsDue() ? Look(afterLook, cancellation) : null });
            whole = true;
            if (state is null || clock.GetElapsedTime(saved) < SaveEvery) return;
            state.Save(progress.ToTensors());
            saved = clock.GetTimestamp();
        }
    }

    private bool IsDue() => options.HeldOut is { } looks && (optimizer.Steps % looks.Every == 0 || optimizer.Steps == source.Steps);

    private bool HasEnded() => options.HeldOut is { Patience: > 0 } looks && progress.LooksSinceBest >= looks.Patience;

    // What is looked at is what would be the result: the average where there is one.
    private double Look(Action<HeldOutLook>? afterLook, CancellationToken cancellation)
    {
        using var live = average is null ? null : KeptValues.Of(trained.Values);
        average?.CopyTo(trained.Values);
        // By the model's own passes, which take adapters beside the base; or by another model that reads the parameters.
        double? scored = heldOut!.Longest > 0 ? heldOut.Of(model, cancellation) : null;
        using (adapters?.Merged())
        {
            var look = new HeldOutLook(optimizer.Steps, scored ?? heldOut.Of(model, cancellation));
            progress.Add(look, heldOut.HigherIsBetter, trained.Values);
            afterLook?.Invoke(look);
        }

        live?.CopyTo(trained.Values);
        return progress.Last!.Value;
    }

    private SupervisedResult Finish()
    {
        if (progress.Best is not null) progress.BestValues.CopyTo(trained.Values);
        else average?.CopyTo(trained.Values);
        adapters?.Merge();
        return new SupervisedResult(optimizer.Steps, source.Steps, progress.Tokens, progress.LearnedTokens, progress.Best);
    }

    // The divergence of soft labels and the teacher's alternatives stay outside: whoever keeps the state keeps it for one of each.
    private string DigestOf(IReadOnlyList<TrainingSequence> examples)
    {
        using var all = new TrainingDigest();
        all.Add("supervised").Add(parameters.Values).Add(examples).Add(options.Training)
            .Add(options.Epochs, options.BatchTokens, unchecked((long)options.Seed))
            .Add(options.WeightAverage ?? -1, options.SoftLabels?.Weight ?? -1)
            .Add(options.HeldOut?.Every ?? 0, options.HeldOut?.Patience ?? 0);
        all.AddPasses(adapters is null ? GradientModels.IsFused(parameters, options.Training)
            : GradientModels.IsFused(parameters, adapters, options.LowRank!.Frozen, options.Training));
        options.LowRank?.AddTo(all);
        heldOut?.AddTo(all);
        options.Loss?.AddTo(all);
        return all.Finish();
    }

    private static Func<long, int, IDistributionLoss>? LossOf(SupervisedOptions options) => options switch
    {
        { SoftLabels: { } soft } => (learned, _) => new SoftLabelLoss(soft.Divergence, soft.Weight, learned),
        { Loss: { } loss } => loss.ToLoss,
        _ => null,
    };
}
