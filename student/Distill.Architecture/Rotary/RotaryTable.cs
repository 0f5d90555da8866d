namespace Distill.Architecture;

/// <summary>
/// Cosines and sines of the rotary angles, [positions, head size / 2], halves of a head not interleaved, attention factor included: the one
/// place that trainer, reference decoder and graph writer take them from. Frequencies and angles are fp32 as in transformers, because
/// that is what the weights were trained with. Immutable, thread-safe.
/// </summary>
internal sealed class RotaryTable
{
    private readonly float[] frequencies;
    private readonly float attentionFactor;

    public RotaryTable(DecoderArchitecture architecture)
    {
        Positions = architecture.MaxPositions;
        attentionFactor = (float)architecture.RotaryScaling.AttentionFactor;
        frequencies = new float[architecture.HeadSize / 2];
        for (int i = 0; i < frequencies.Length; i++)
            frequencies[i] = 1f / (float)Math.Pow(architecture.RopeTheta, (float)(2 * i) / architecture.HeadSize);
        architecture.RotaryScaling.Apply(frequencies, architecture.RopeTheta);
    }

    public int Positions { get; }

    /// <summary>Half of the head size.</summary>
    public int Width => frequencies.Length;

    /// <summary>Radians per position, [head size / 2].</summary>
    public ReadOnlySpan<float> Frequencies => frequencies;

    /// <summary>Whole rows of cosines from a position on, until the target is full.</summary>
    public void Cosines(int firstPosition, Span<float> target)
    {
        for (int i = 0; i < target.Length; i++) target[i] = attentionFactor * MathF.Cos(Angle(firstPosition, i));
    }

    /// <summary>Whole rows of sines from a position on, until the target is full.</summary>
    public void Sines(int firstPosition, Span<float> target)
    {
        for (int i = 0; i < target.Length; i++) target[i] = attentionFactor * MathF.Sin(Angle(firstPosition, i));
    }

    private float Angle(int firstPosition, int index) => (firstPosition + (index / Width)) * frequencies[index % Width];
}
