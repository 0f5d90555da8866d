namespace Distill.Architecture;

/// <summary>
/// How rotary frequencies are changed so that a model reads further than it was first trained to. Base of the variants; immutable,
/// compared by value. Formulas and their fp32 arithmetic: <c>modeling_rope_utils.py</c> of transformers.
/// </summary>
public abstract record RotaryScaling
{
    /// <summary>The name in a configuration, <c>rope_type</c>.</summary>
    public abstract string TypeName { get; }

    /// <summary>Multiplies cosines and sines, and so every score by its square.</summary>
    public virtual double AttentionFactor => 1;

    /// <param name="frequencies">[head size / 2], radians per position, changed in place.</param>
    /// <param name="theta">The base they were made from.</param>
    public abstract void Apply(Span<float> frequencies, double theta);

    /// <summary>What is impossible about the values; empty when nothing is.</summary>
    public abstract IEnumerable<string> Problems();

    private protected static IEnumerable<string> FactorProblems(double factor)
    {
        if (!(factor >= 1 && double.IsFinite(factor))) yield return $"the rotary scaling factor {factor} must be at least 1";
    }
}

/// <summary>Frequencies as they are: Su et al. 2021 (arXiv 2104.09864).</summary>
public sealed record DefaultRotary : RotaryScaling
{
    private DefaultRotary()
    {
    }

    public static DefaultRotary Instance { get; } = new();

    public override string TypeName => "default";

    public override void Apply(Span<float> frequencies, double theta)
    {
    }

    public override IEnumerable<string> Problems() => [];
}

/// <summary>Position interpolation: every frequency divided by the factor. Source: Chen et al. 2023 (arXiv 2306.15595).</summary>
public sealed record LinearRotary(double Factor) : RotaryScaling
{
    public override string TypeName => "linear";

    public override void Apply(Span<float> frequencies, double theta)
    {
        foreach (ref float frequency in frequencies) frequency /= (float)Factor;
    }

    public override IEnumerable<string> Problems() => FactorProblems(Factor);
}

/// <summary>
/// The scaling of Llama 3.1: long waves are stretched by the factor, short ones kept, those between blended.
/// Source: transformers, <c>_compute_llama3_parameters</c> (the model card of Llama 3.1 gives no formula).
/// </summary>
/// <param name="LowFrequencyFactor">Waves longer than the original context divided by this are stretched.</param>
/// <param name="HighFrequencyFactor">Waves shorter than the original context divided by this are kept.</param>
/// <param name="OriginalPositions">The context before scaling.</param>
public sealed record Llama3Rotary(
    double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalPositions) : RotaryScaling
{
    public override string TypeName => "llama3";

    public override void Apply(Span<float> frequencies, double theta)
    {
        foreach (ref float frequency in frequencies)
        {
            float wavelength = (float)(2 * Math.PI) / frequency, stretched = frequency / (float)Factor;
            if (wavelength > OriginalPositions / LowFrequencyFactor) frequency = stretched;
            else if (wavelength >= OriginalPositions / HighFrequencyFactor)
            {
                float smooth =
                    ((OriginalPositions / wavelength) - (float)LowFrequencyFactor) / (float)(HighFrequencyFactor - LowFrequencyFactor);
                frequency = ((1 - smooth) * stretched) + (smooth * frequency);
            }
        }
    }

    public override IEnumerable<string> Problems()
    {
        foreach (string problem in FactorProblems(Factor)) yield return problem;
        if (!(LowFrequencyFactor > 0 && HighFrequencyFactor > LowFrequencyFactor && double.IsFinite(HighFrequencyFactor)))
            yield return $"low_freq_factor {LowFrequencyFactor} must be positive and below high_freq_factor {HighFrequencyFactor}";
        if (OriginalPositions < 1) yield return $"original_max_position_embeddings {OriginalPositions} must be positive";
    }
}

/// <summary>
/// YaRN: dimensions that turn often within the original context are kept, those that turn less than once are interpolated, a linear
/// ramp between; cosines and sines grow by the attention factor. Source: Peng et al. 2023 (arXiv 2309.00071), as transformers computes it.
/// </summary>
/// <param name="OriginalPositions">The context before scaling.</param>
/// <param name="AttentionScale">The attention factor; <see cref="DefaultAttentionScale"/> where a configuration gives none.</param>
public sealed record YarnRotary(double Factor, int OriginalPositions, double AttentionScale) : RotaryScaling
{
    public const double DefaultBetaFast = 32, DefaultBetaSlow = 1;

    /// <summary>Rotations within the original context above which a dimension is kept.</summary>
    public double BetaFast { get; init; } = DefaultBetaFast;

    /// <summary>Rotations within the original context below which a dimension is interpolated.</summary>
    public double BetaSlow { get; init; } = DefaultBetaSlow;

    /// <summary>Whether the ends of the ramp are rounded to whole dimensions.</summary>
    public bool Truncate { get; init; } = true;

    public override string TypeName => "yarn";

    public override double AttentionFactor => AttentionScale;

    /// <summary>0.1 · mscale · ln(factor) + 1, section 3.4 of the paper.</summary>
    public static double DefaultAttentionScale(double factor, double mscale = 1) => factor <= 1 ? 1 : (0.1 * mscale * Math.Log(factor)) + 1;

    public override void Apply(Span<float> frequencies, double theta)
    {
        double low = Math.Max(0, Dimension(BetaFast, frequencies.Length, theta, Math.Floor));
        double high = Math.Min((2 * frequencies.Length) - 1, Dimension(BetaSlow, frequencies.Length, theta, Math.Ceiling));
        if (low == high) high += 0.001; // as transformers does, against a division by zero
        for (int i = 0; i < frequencies.Length; i++)
        {
            float interpolated = frequencies[i] / (float)Factor, ramp = Math.Clamp((i - (float)low) / (float)(high - low), 0, 1);
            frequencies[i] = (interpolated * ramp) + (frequencies[i] * (1 - ramp));
        }
    }

    public override IEnumerable<string> Problems()
    {
        foreach (string problem in FactorProblems(Factor)) yield return problem;
        if (OriginalPositions < 1) yield return $"original_max_position_embeddings {OriginalPositions} must be positive";
        if (!(AttentionScale > 0 && double.IsFinite(AttentionScale))) yield return $"attention_factor {AttentionScale} must be positive";
        if (!(BetaSlow > 0 && BetaFast >= BetaSlow && double.IsFinite(BetaFast)))
            yield return $"beta_slow {BetaSlow} must be positive and not above beta_fast {BetaFast}";
    }

    // The dimension that turns so many times within the original context.
    private double Dimension(double rotations, int half, double theta, Func<double, double> rounded)
    {
        double exact = 2 * half * Math.Log(OriginalPositions / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));
        return Truncate ? rounded(exact) : exact;
    }
}
