using System.Globalization;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Training;

/// <summary>
/// A training whose loss, gradient or weights are no longer finite numbers. Not a fault of the program: the options or the data have to
/// change, and the message says at which step, what the losses were, and what helps.
/// </summary>
public sealed class TrainingDivergedException(int step, IReadOnlyList<double> lastLosses, string message) : Exception(message)
{
    /// <summary>1 for the first; 0 when the weights were not finite before it.</summary>
    public int Step { get; } = step;

    /// <summary>Of the last steps, the latest at the end; few or none right after a start.</summary>
    public IReadOnlyList<double> LastLosses { get; } = lastLosses;
}

/// <summary>Looks at every step of one training for what is not finite. One thread.</summary>
internal sealed class DivergenceWatch(FlatParameters parameters, AdamW optimizer, LearningRateSchedule schedule, int steps)
{
    private const int Kept = 6;

    private readonly Queue<double> losses = new();

    /// <summary>Refuses weights that are not finite before the first step, or after a state was read.</summary>
    /// <exception cref="TrainingDivergedException">Names the tensor.</exception>
    public void RequireStart()
    {
        if (FirstBadTensor() is not { } name) return;
        throw new TrainingDivergedException(optimizer.Steps, [], optimizer.Steps == 0
            ? $"The base cannot be trained: its weight '{name}' holds values that are not finite (NaN or infinity). Take another base, "
            + $"or write it anew."
            : $"The training cannot go on after step {optimizer.Steps:N0}: the weight '{name}' of its state is not finite. Begin anew "
            + $"with a lower learning rate.");
    }

    /// <summary>One update, unless it would be made of something that is not finite.</summary>
    /// <param name="loss">Of the step; what is told of when it or the gradient is not finite.</param>
    /// <returns>The gradient's norm before clipping.</returns>
    /// <exception cref="TrainingDivergedException">The loss or the gradient is not finite; nothing was changed.</exception>
    public double Update(Tensor gradient, double rate, double loss)
    {
        Keep(loss);
        double norm = double.IsFinite(loss) ? optimizer.Update(gradient, rate) : double.NaN;
        if (!double.IsFinite(loss)) throw Diverged(optimizer.Steps + 1, $"the loss is {Number(loss)}", rate);
        return double.IsFinite(norm) ? norm : throw Diverged(optimizer.Steps + 1, $"the gradient's norm is {Number(norm)}", rate);
    }

    /// <summary>The same, but what is not finite is passed over.</summary>
    /// <returns>The gradient's norm before clipping; NaN where the loss or that norm is not finite, and nothing was changed.</returns>
    public double UpdateOrSkip(Tensor gradient, double rate, double loss)
    {
        double norm = double.IsFinite(loss) ? optimizer.Update(gradient, rate) : double.NaN;
        if (!double.IsFinite(norm)) return double.NaN;
        Keep(loss);
        return norm;
    }

    /// <summary>Refuses a result with weights that are not finite.</summary>
    /// <exception cref="TrainingDivergedException">Names the tensor.</exception>
    public void RequireResult()
    {
        if (FirstBadTensor() is { } name)
            throw Diverged(optimizer.Steps, $"the weight '{name}' is not finite after the last update", schedule.Peak);
    }

    private void Keep(double loss)
    {
        losses.Enqueue(loss);
        if (losses.Count > Kept) losses.Dequeue();
    }

    private TrainingDivergedException Diverged(int step, string what, double rate)
    {
        string last = losses.Count == 0 ? "none yet" : string.Join(", ", losses.Select(Number));
        string remedy = string.Create(CultureInfo.InvariantCulture,
            $"Lower the learning rate ({rate:G4} at this step, {schedule.Peak:G4} at its peak), warm up longer, or look at the data");
        return new TrainingDivergedException(
            step, [.. losses],
            string.Create(
                CultureInfo.InvariantCulture,
                $"The training diverged at step {step:N0} of {steps:N0}: {what}. Last losses: {last}. {remedy}."));
    }

    private string? FirstBadTensor()
    {
        using var scope = NewDisposeScope();
        var passes = parameters.Passes;
        if (passes.AreFinite(parameters.Values)) return null; // a device is waited for once, not once per tensor
        return parameters.Places.Select(place => place.Name).FirstOrDefault(name => !passes.AreFinite(parameters.ValuesOf(name)));
    }

    private static string Number(double value) => double.IsFinite(value)
        ? value.ToString("G4", CultureInfo.InvariantCulture)
        : double.IsNaN(value) ? "not a number" : "infinite";
}
