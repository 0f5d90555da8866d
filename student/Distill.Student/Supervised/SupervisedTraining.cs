using Distill.Student.Adapters;
using Distill.Student.Distillation;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Supervised;

/// <summary>One run of <see cref="SupervisedFineTuning"/>, from its start or its state to its end. One thread; the creator disposes it before the parameters.</summary>
internal sealed class SupervisedTraining : IDisposable
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(30);

    private readonly SupervisedOptions options;
    private readonly TimeProvider clock;
    private readonly string? statePath;
    private readonly IHeldOutMeasure? heldOut;
    private readonly EpochSource source;
    private readonly LowRankAdapters? adapters;
    private readonly ITrainedValues trained;
    private readonly AdamW optimizer;
    private readonly WeightAverage? average;
    private readonly SupervisedProgress progress = new();
    private readonly IGradientModel model;
    private readonly string digest;

    public SupervisedTraining(
        FlatParameters parameters, IReadOnlyList<TrainingSequence> examples, SupervisedOptions options, TimeProvider clock, string? statePath, IHeldOutMeasure? heldOut)
    {
        if (options.HeldOut is not null && heldOut is null) throw new ArgumentNullException(nameof(heldOut), "Looks at held-out data are asked for without any.");
        if (options is { SoftLabels: not null, Loss: not null }) throw new ArgumentException("Soft labels are a loss of their own: another one beside them is not taken.", nameof(options));
        (this.options, this.clock, this.statePath, this.heldOut) = (options, clock, statePath, options.HeldOut is null ? null : heldOut);
        source = new EpochSource(examples, options.Epochs, options.BatchTokens, options.Seed);
        digest = statePath is null ? "" : DigestOf(parameters, examples);
        adapters = options.LowRank is { } lowRank ? new LowRankAdapters(parameters, lowRank, options.Seed) : null;
        trained = adapters ?? (ITrainedValues)parameters;
        optimizer = new AdamW(trained, options.Training.Optimizer);
        average = options.WeightAverage is { } decay ? new WeightAverage(trained.Count, decay) : null;
        if (File.Exists(statePath)) TrainingState.Load(statePath, trained, optimizer, average, digest, file => progress.Restore(file, statePath, trained.Count));
        int longest = Math.Max(examples.Max(example => example.Tokens.Count), this.heldOut?.Longest ?? 0);
        var whole = GradientModels.Create(parameters, options.Training, longest);
        model = adapters is null ? whole : new AdaptedGradientModel(whole, adapters);
    }

    public SupervisedResult Run(Action<StepReport> afterStep, Action<HeldOutLook>? afterLook, CancellationToken cancellation)
    {
        var schedule = options.Training.ToSchedule();
        long saved = clock.GetTimestamp();
        bool whole = true; // whether everything that belongs to the last update was done
        try
        {
            new SupervisedLoop(model, optimizer, schedule, clock, LossOf(options)).Run(source, AfterStep, cancellation, HasEnded);
        }
        catch (OperationCanceledException)
        {
            if (statePath is not null && whole) Save(statePath);
            throw;
        }

        return Finish();

        void AfterStep(StepReport report)
        {
            whole = false;
            average?.Add(trained.Span);
            progress.Count(report);
            afterStep(report with { HeldOut = IsDue() ? Look(afterLook, cancellation) : null });
            whole = true;
            if (statePath is null || clock.GetElapsedTime(saved) < SaveEvery) return;
            Save(statePath);
            saved = clock.GetTimestamp();
        }
    }

    public void Dispose() => model.Dispose();

    private bool IsDue() => options.HeldOut is { } looks && (optimizer.Steps % looks.Every == 0 || optimizer.Steps == source.Steps);

    private bool HasEnded() => options.HeldOut is { Patience: > 0 } looks && progress.LooksSinceBest >= looks.Patience;

    // What is looked at is what would be the result: the average where there is one.
    private double Look(Action<HeldOutLook>? afterLook, CancellationToken cancellation)
    {
        float[]? live = average is null ? null : trained.Span.ToArray();
        average?.CopyTo(trained.Span);
        adapters?.Merge();
        var look = new HeldOutLook(optimizer.Steps, heldOut!.Of(model, cancellation));
        progress.Add(look, heldOut.HigherIsBetter, trained.Span);
        afterLook?.Invoke(look);
        live?.CopyTo(trained.Span);
        return look.Value;
    }

    private SupervisedResult Finish()
    {
        if (progress.Best is not null) progress.BestValues.CopyTo(trained.Span);
        else average?.CopyTo(trained.Span);
        adapters?.Merge();
        return new SupervisedResult(optimizer.Steps, source.Steps, progress.Tokens, progress.LearnedTokens, progress.Best);
    }

    private void Save(string path) => TrainingState.Save(path, trained, optimizer, average, digest, progress.ToTensors());

    // The divergence of soft labels and the teacher's alternatives stay outside: whoever keeps the state keeps it for one of each.
    private string DigestOf(FlatParameters start, IReadOnlyList<TrainingSequence> examples)
    {
        using var all = new TrainingDigest();
        all.Add("supervised").Add(start.Span).Add(examples).Add(options.Training).Add(options.Epochs, options.BatchTokens, unchecked((long)options.Seed))
            .Add(options.WeightAverage ?? -1, options.SoftLabels?.Weight ?? -1).Add(options.HeldOut?.Every ?? 0, options.HeldOut?.Patience ?? 0);
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
