namespace Distill.Architecture;

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
        if (!(BetaSlow > 0 && BetaFast >= BetaSlow && double.IsFinite(BetaFast))) yield return $"beta_slow {BetaSlow} must be positive and not above beta_fast {BetaFast}";
    }

    // The dimension that turns so many times within the original context.
    private double Dimension(double rotations, int half, double theta, Func<double, double> rounded)
    {
        double exact = 2 * half * Math.Log(OriginalPositions / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));
        return Truncate ? rounded(exact) : exact;
    }
}
