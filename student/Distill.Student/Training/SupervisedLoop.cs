using Distill.Student.Supervised;

namespace Distill.Student.Training;

/// <summary>
/// Runs a source's steps through forward, backward and update. The loop is the same for pretraining and fine-tuning; only the
/// source differs. One thread calls it.
/// </summary>
/// <param name="loss">Loss of a step with so many learned tokens and examples; null: plain cross-entropy, which costs less than any other.</param>
public sealed class SupervisedLoop(IGradientModel model, AdamW optimizer, LearningRateSchedule schedule, TimeProvider clock, Func<long, int, IDistributionLoss>? loss = null)
{
    /// <summary>Continues from the optimizer's step count to the end of the source.</summary>
    /// <param name="afterStep">Sees every step; may save state.</param>
    /// <param name="ended">Asked before every step whether the training ends early; null: never.</param>
    /// <exception cref="OperationCanceledException">Between two steps; the state is that of the last finished step.</exception>
    public void Run(IExampleSource source, Action<StepReport> afterStep, CancellationToken cancellation, Func<bool>? ended = null)
    {
        while (optimizer.Steps < source.Steps && ended?.Invoke() is not true)
        {
            cancellation.ThrowIfCancellationRequested();
            long began = clock.GetTimestamp();
            var examples = source.At(optimizer.Steps);
            long learned = examples.Sum(example => (long)example.SupervisedCount);
            var pass = loss is null ? model.Differentiate(examples, new CrossEntropy(learned)) : model.Differentiate(examples, loss(learned, examples.Count));
            double rate = schedule.At(optimizer.Steps, source.Steps);
            double norm = optimizer.Update(model.Gradient, rate);
            afterStep(new StepReport(
                optimizer.Steps, source.Steps, pass.Loss, norm, rate, pass.MeanEntropy, examples.Sum(example => (long)example.Tokens.Count), learned,
                clock.GetElapsedTime(began).TotalSeconds)
            { Accuracy = pass.Accuracy });
        }
    }
}
