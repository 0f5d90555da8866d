namespace Distill.Student.Training;

/// <summary>How the learning rate falls after the warm-up.</summary>
public enum Decay
{
    /// <summary>Stays.</summary>
    Constant,

    /// <summary>A straight line to zero at the end.</summary>
    Linear,

    /// <summary>Half a cosine to zero at the end (Loshchilov and Hutter 2017, arXiv 1608.03983).</summary>
    Cosine,

    /// <summary>
    /// Warm-up, stable, decay: stays, then a straight line to zero over the last part (Hu et al. 2024, arXiv 2404.06395).
    /// </summary>
    Trapezoid,

    /// <summary>
    /// The square of a straight line to zero: polynomial decay (Chen et al. 2017, arXiv 1606.00915) of another power where asked for.
    /// </summary>
    Polynomial,

    /// <summary>Falls as 1/√step and never to zero: the training may go on (Vaswani et al. 2017, arXiv 1706.03762).</summary>
    InverseSquareRoot,
}

/// <summary>The last part of <see cref="Decay.Trapezoid"/>.</summary>
public enum CoolDown
{
    /// <summary>A straight line.</summary>
    Linear,

    /// <summary>Half a cosine.</summary>
    Cosine,

    /// <summary>1 − √progress: fast at first (Hägele et al. 2024, arXiv 2405.18392).</summary>
    SquareRoot,
}

/// <summary>Learning rate by progress. Immutable.</summary>
/// <param name="Peak">The rate after warm-up.</param>
/// <param name="WarmupShare">Share of the training over which the rate rises from 0.</param>
/// <param name="DecayShare">Share at the end over which <see cref="Decay.Trapezoid"/> falls.</param>
internal sealed record LearningRateSchedule(double Peak, Decay Decay, double WarmupShare = 0.02, double DecayShare = 0.3)
{
    /// <summary>Updates over which the rate rises, the first of them already above 0; null: by <see cref="WarmupShare"/>.</summary>
    public int? WarmupSteps { get; init; }

    /// <summary>Share of the peak that the rate falls to where it would fall to zero.</summary>
    public double Floor { get; init; }

    public CoolDown CoolDown { get; init; }

    /// <summary>Of <see cref="Decay.Polynomial"/>.</summary>
    public double Power { get; init; } = 2;

    /// <summary>
    /// Share of the training after which <see cref="Decay.InverseSquareRoot"/> begins to fall as 1/√step; null: <see cref="WarmupShare"/>.
    /// </summary>
    public double? Timescale { get; init; }

    /// <summary>The rate of one update of a training.</summary>
    /// <param name="step">From 0.</param>
    /// <param name="steps">Updates of the whole training.</param>
    public double At(int step, int steps)
    {
        if (WarmupSteps is not { } warmup) return At((double)step / steps);
        if (step < warmup) return Peak * (step + 1) / warmup;
        return Peak * Fallen((double)step / steps, Math.Clamp((double)(step - warmup) / Math.Max(1, steps - warmup), 0, 1));
    }

    /// <param name="progress">0 before the first update, towards 1 at the last.</param>
    public double At(double progress)
    {
        if (progress < WarmupShare) return Peak * (progress + 1e-3) / (WarmupShare + 1e-3);
        double rest = Math.Clamp((progress - WarmupShare) / Math.Max(1e-9, 1 - WarmupShare), 0, 1);
        return Peak * Fallen(progress, rest);
    }

    private double Fallen(double progress, double rest) => Decay switch
    {
        Decay.Constant => 1,
        Decay.Linear => Floor + ((1 - Floor) * (1 - rest)),
        Decay.Cosine => Floor + ((1 - Floor) * 0.5 * (1 + Math.Cos(Math.PI * rest))),
        Decay.Trapezoid => Floor + ((1 - Floor) * Cooled(Math.Min(1, (1 - progress) / DecayShare))),
        Decay.Polynomial => Floor + ((1 - Floor) * Math.Pow(1 - rest, Power)),
        Decay.InverseSquareRoot => Math.Sqrt((Timescale ?? WarmupShare) / (progress + (Timescale ?? WarmupShare) - WarmupShare)),
        _ => throw new InvalidOperationException($"Unknown decay {Decay}."),
    };

    /// <param name="left">Of the last part, 1 at its start and 0 at its end.</param>
    private double Cooled(double left) => CoolDown switch
    {
        CoolDown.Linear => left,
        CoolDown.Cosine => 0.5 * (1 - Math.Cos(Math.PI * left)),
        CoolDown.SquareRoot => 1 - Math.Sqrt(1 - left),
        _ => throw new InvalidOperationException($"Unknown cool-down {CoolDown}."),
    };
}
