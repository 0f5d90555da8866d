using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;

namespace Distill.Student.Preference;

/// <summary>One run of <see cref="PreferenceTuning"/>, from its start or its state to its end. One thread; the creator disposes it before the parameters.</summary>
internal sealed class PreferenceTraining : IDisposable
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(30);

    private readonly FlatParameters parameters;
    private readonly PreferenceOptions options;
    private readonly TimeProvider clock;
    private readonly string? statePath;
    private readonly IHeldOutMeasure? heldOut;
    private readonly PairSource source;
    private readonly AdamW optimizer;
    private readonly SupervisedProgress progress = new();
    private readonly IGradientModel model;
    private readonly PreferenceStep step;
    private readonly string digest;

    public PreferenceTraining(
        FlatParameters parameters, IReadOnlyList<PreferencePair> pairs, PreferenceOptions options, TimeProvider clock, string? statePath, IHeldOutMeasure? heldOut)
    {
        if (options.HeldOut is not null && heldOut is null) throw new ArgumentNullException(nameof(heldOut), "Looks at held-out data are asked for without any.");
        (this.parameters, this.options, this.clock, this.statePath, this.heldOut) = (parameters, options, clock, statePath, options.HeldOut is null ? null : heldOut);
        source = new PairSource(pairs.Count, options.Epochs, options.PairsPerStep, options.Seed);
        digest = statePath is null ? "" : PreferenceDigest.Of(parameters, pairs, options, this.heldOut);
        optimizer = new AdamW(parameters, options.Training.Optimizer);
        var kind = PreferenceLosses.Get(options.Loss);
        model = GradientModels.Create(parameters, options.Training, Math.Max(pairs.Max(pair => pair.Longest), this.heldOut?.Longest ?? 0));
        step = new PreferenceStep(model, optimizer, new PreferenceScores(model, pairs, kind), kind, options.Constants); // before a state overwrites the start
        if (File.Exists(statePath)) TrainingState.Load(statePath, parameters, optimizer, average: null, digest, file => Restore(file, statePath));
    }

    public PreferenceResult Run(Action<PreferenceStepReport> afterStep, CancellationToken cancellation)
    {
        var schedule = new LearningRateSchedule(options.Training.LearningRate, options.Training.Decay, options.Training.WarmupShare);
        long saved = clock.GetTimestamp();
        if (heldOut is not null && progress.Last is null) Look(cancellation);
        while (optimizer.Steps < source.Steps && !HasEnded())
        {
            if (statePath is not null && cancellation.IsCancellationRequested) Save(statePath);
            cancellation.ThrowIfCancellationRequested();
            long began = clock.GetTimestamp();
            var report = step.Run(source.At(optimizer.Steps), schedule.At(optimizer.Steps, source.Steps));
            var taken = report.Step with { Steps = source.Steps, Seconds = clock.GetElapsedTime(began).TotalSeconds };
            progress.Count(taken);
            afterStep(report with { Step = taken with { HeldOut = IsDue() ? Look(cancellation) : null } });
            if (statePath is null || clock.GetElapsedTime(saved) < SaveEvery) continue;
            Save(statePath);
            saved = clock.GetTimestamp();
        }

        if (progress.Best is not null) progress.BestValues.CopyTo(parameters.Span);
        return new PreferenceResult(new SupervisedResult(optimizer.Steps, source.Steps, progress.Tokens, progress.LearnedTokens, progress.Best), progress.First);
    }

    public void Dispose() => model.Dispose();

    private bool IsDue() => options.HeldOut is { } looks && (optimizer.Steps % looks.Every == 0 || optimizer.Steps == source.Steps);

    private bool HasEnded() => options.HeldOut is { Patience: > 0 } looks && progress.LooksSinceBest >= looks.Patience;

    private double Look(CancellationToken cancellation)
    {
        var look = new HeldOutLook(optimizer.Steps, heldOut!.Of(model, cancellation));
        progress.Add(look, heldOut.HigherIsBetter, parameters.Span);
        return look.Value;
    }

    private void Save(string path) => TrainingState.Save(
        path, parameters, optimizer, average: null, digest,
        [.. progress.ToTensors(), SafeTensor.Integers("rewards", [2], new[] { step.Rewards.Count, BitConverter.DoubleToInt64Bits(step.Rewards.Mean) })]);

    private void Restore(SafeTensorsFile file, string path)
    {
        progress.Restore(file, path, parameters.Count);
        long[] rewards = file.ReadIntegers("rewards");
        step.Rewards = new RewardMean(rewards[0], BitConverter.Int64BitsToDouble(rewards[1]));
    }
}
