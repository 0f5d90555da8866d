using Distill.Architecture;

namespace Distill.Student.Pruning;

/// <summary>What was seen of one layer so far. One thread.</summary>
internal sealed class ActivitySum(DecoderArchitecture architecture)
{
    private readonly double[] channels = new double[architecture.IntermediateSize];
    private double similarity;
    private long positions;

    /// <summary>[key-value heads]</summary>
    public double[] Heads { get; } = new double[architecture.KeyValueHeads];

    /// <param name="cosines">Sum over the positions.</param>
    /// <param name="magnitudes">[intermediate]: sums over the positions.</param>
    public void Add(double cosines, float[] magnitudes, int count)
    {
        similarity += cosines;
        positions += count;
        for (int i = 0; i < channels.Length; i++) channels[i] += magnitudes[i];
    }

    public LayerActivity ToActivity() =>
        new(1 - (similarity / positions), [.. channels.Select(sum => sum / positions)], [.. Heads.Select(sum => sum / positions)]);
}
