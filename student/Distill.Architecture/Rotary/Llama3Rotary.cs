namespace Distill.Architecture;

/// <summary>
/// The scaling of Llama 3.1: long waves are stretched by the factor, short ones kept, those between blended.
/// Source: transformers, <c>_compute_llama3_parameters</c> (the model card of Llama 3.1 gives no formula).
/// </summary>
/// <param name="LowFrequencyFactor">Waves longer than the original context divided by this are stretched.</param>
/// <param name="HighFrequencyFactor">Waves shorter than the original context divided by this are kept.</param>
/// <param name="OriginalPositions">The context before scaling.</param>
public sealed record Llama3Rotary(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalPositions) : RotaryScaling
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
                float smooth = ((OriginalPositions / wavelength) - (float)LowFrequencyFactor) / (float)(HighFrequencyFactor - LowFrequencyFactor);
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
