namespace Distill.Student.Monitoring;

/// <summary>A gradient, reward or entropy is not a number; the update is left out, and the training ends with the weights that did best.</summary>
public sealed class NotFiniteAlarm : IAlarm
{
    public string Name => "not_finite";

    public bool Stops => true;

    public string? Fault(IReadOnlyList<TrainingMoment> history)
    {
        var last = history[^1];
        // Entropy and held-out score are NaN where they were not measured; infinity is never that.
        bool sound = double.IsFinite(last.GradientNorm) && double.IsFinite(last.Reward) && !double.IsInfinity(last.Entropy);
        return sound ? null : "the gradient, the reward or the entropy is not finite: lower rl.learning_rate";
    }
}
