using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Supervised;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Student.Pretraining;

/// <summary>
/// Trains a decoder from nothing on text of the problem families. Saves its state on the way and continues from it exactly, so an
/// hour of work survives a kill. One thread calls it.
/// </summary>
internal static class Pretraining
{
    /// <param name="parameters">Overwritten: initialised, or filled from <paramref name="start"/> or the state.</param>
    /// <param name="start">Weights to start from; null starts from random ones.</param>
    /// <param name="statePath">Where the state is kept; continued from when it exists, deleted by nobody.</param>
    /// <param name="afterStep">Sees every step.</param>
    /// <param name="warning">Told of a state that cannot be continued from, which is set aside; null: that is an exception.</param>
    /// <exception cref="OperationCanceledException">Between two steps, after saving the state.</exception>
    /// <exception cref="UnusableStateException">
    /// The state is damaged or of another training, and <paramref name="warning"/> is null.
    /// </exception>
    /// <exception cref="TrainingDivergedException">The start, a loss, a gradient or the result is not finite.</exception>
    public static void Run(
        FlatParameters parameters, WeightSet? start, ChatEncoder encoder, PretrainingOptions options, string statePath, TimeProvider clock,
        Action<StepReport> afterStep, CancellationToken cancellation, Action<string>? warning = null)
    {
        var training = options.Training;
        var source = new PretrainingSource(options.Mixture, encoder, options.Seed, options.SequencesPerStep, options.Steps);
        using var optimizer = new AdamW(parameters, training.Optimizer);
        if (start is not null) parameters.Load(start);
        else parameters.Initialize(options.Seed);
        var state = new TrainingState(statePath, DigestOf(parameters, options), parameters, optimizer);
        state.TryLoad(warning);
        using var model = GradientModels.Create(parameters, training);
        var schedule = training.ToSchedule() with { DecayShare = options.DecayShare };
        var watch = new DivergenceWatch(parameters, optimizer, schedule, options.Steps);
        watch.RequireStart();
        try
        {
            SupervisedFineTuning.RunSteps(model, optimizer, schedule, source, clock, AfterStep, cancellation, watch);
        }
        catch (OperationCanceledException)
        {
            state.Save();
            throw;
        }

        watch.RequireResult();

        void AfterStep(StepReport report)
        {
            afterStep(report); // first: what the caller writes down must reach at least as far as the state
            if (report.Step % options.SaveEvery == 0 || report.Step == report.Steps) state.Save();
        }
    }

    // The tokenizer stays outside: whoever keeps the state keeps it for one.
    private static string DigestOf(FlatParameters start, PretrainingOptions options)
    {
        using var all = new TrainingDigest();
        var mixture = options.Mixture;
        all.Add("pretraining").Add(start.Values).Add(options.Training)
            .Add(options.DecayShare, mixture.Solutions, mixture.Texts, mixture.Facts)
            .Add(unchecked((long)options.Seed), options.SequencesPerStep, options.Steps, mixture.FactsPerSequence);
        all.AddPasses(GradientModels.IsFused(start, options.Training));
        foreach (var (family, level, weight) in mixture.Problems) all.Add(family.Name).Add((long)level).Add(weight);
        return all.Finish();
    }
}
