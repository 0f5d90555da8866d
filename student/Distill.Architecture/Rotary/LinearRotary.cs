namespace Distill.Architecture;

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
