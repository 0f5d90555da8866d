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
