namespace Distill.Student.Training;

/// <summary>
/// What gradients are multiplied by on their way back through fp16, so that small ones do not vanish: grown after a run of finite passes,
/// cut after one that was not (Micikevicius et al. 2018, arXiv 1710.03740; the rule and its constants are those of PyTorch's GradScaler).
/// Part of a training's state. One thread.
/// </summary>
internal sealed class LossScale
{
    private readonly double initial, growth, backoff;
    private readonly int interval;

    /// <param name="interval">Finite passes after which the scale grows.</param>
    public LossScale(double initial = 65536, double growth = 2, double backoff = 0.5, int interval = 2000)
    {
        (this.initial, this.growth, this.backoff, this.interval) = (initial, growth, backoff, interval);
        Value = initial;
    }

    public double Value { get; private set; }

    /// <summary>Finite passes since the last change.</summary>
    public int Tracker { get; private set; }

    /// <summary>Whether nothing was ever scaled.</summary>
    public bool IsUntouched => Tracker == 0 && Value == initial;

    /// <param name="finite">Whether a pass's gradient was.</param>
    public void Update(bool finite)
    {
        if (!finite) (Value, Tracker) = (Value * backoff, 0);
        else if (++Tracker == interval) (Value, Tracker) = (Value * growth, 0);
    }

    public void Restore(double value, int tracker) => (Value, Tracker) = (value, tracker);
}
