using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Student.Pretraining;

/// <summary>
/// Trains a decoder from nothing on text of the problem families. Saves its state on the way and continues from it exactly, so an
/// hour of work survives a kill. One thread calls it.
/// </summary>
public static class Pretraining
{
    /// <param name="parameters">Overwritten: initialised, or filled from <paramref name="start"/> or the state.</param>
    /// <param name="start">Weights to start from; null starts from random ones.</param>
    /// <param name="statePath">Where the state is kept; continued from when it exists, deleted by nobody.</param>
    /// <param name="afterStep">Sees every step.</param>
    /// <exception cref="OperationCanceledException">Between two steps, after saving the state.</exception>
    public static void Run(
        FlatParameters parameters, WeightSet? start, ChatEncoder encoder, PretrainingOptions options, string statePath, TimeProvider clock,
        Action<StepReport> afterStep, CancellationToken cancellation)
    {
        var training = options.Training;
        var source = new PretrainingSource(options.Mixture, encoder, options.Seed, options.SequencesPerStep, options.Steps);
        var optimizer = new AdamW(parameters, training.Optimizer);
        if (File.Exists(statePath)) TrainingState.Load(statePath, parameters, optimizer);
        else if (start is not null) parameters.Load(start);
        else parameters.Initialize(options.Seed);
        using var model = GradientModels.Create(parameters, training);
        var schedule = training.ToSchedule() with { DecayShare = options.DecayShare };
        var loop = new SupervisedLoop(model, optimizer, schedule, clock);
        try
        {
            loop.Run(source, AfterStep, cancellation);
        }
        catch (OperationCanceledException)
        {
            TrainingState.Save(statePath, parameters, optimizer);
            throw;
        }

        void AfterStep(StepReport report)
        {
            afterStep(report); // first: what the caller writes down must reach at least as far as the state
            if (report.Step % options.SaveEvery == 0 || report.Step == report.Steps) TrainingState.Save(statePath, parameters, optimizer);
        }
    }
}
