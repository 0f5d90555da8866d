using Distill.Architecture;

namespace Distill.Student.Pruning;

/// <summary>One layer of a decoder with only some of its feed-forward channels and heads. Immutable.</summary>
/// <param name="channels">Kept, ascending.</param>
/// <param name="heads">Key-value heads kept, ascending.</param>
internal sealed class LayerCut(WeightSet weights, int layer, int[] channels, int[] heads)
{
    private readonly DecoderArchitecture from = weights.Architecture;

    /// <param name="to">The smaller decoder.</param>
    /// <param name="place">What the layer is numbered there.</param>
    public void CopyTo(Dictionary<string, float[]> values, DecoderArchitecture to, int place)
    {
        string prefix = ParameterMap.Layer(place, "");
        foreach (var spec in ParameterMap.For(to).Where(spec => spec.Name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            string part = spec.Name[prefix.Length..];
            values[spec.Name] = Cut(part, weights[ParameterMap.Layer(layer, part)].ToArray());
        }
    }

    // Weights are [out, in] and biases [out]: what a projection gives are rows, what it takes are columns.
    private float[] Cut(string part, float[] whole)
    {
        int queries = from.Heads / from.KeyValueHeads * from.HeadSize;
        return part.Split('.')[^2] switch
        {
            "q_proj" => Rows(whole, Spread(heads, queries), from.Heads * from.HeadSize),
            "k_proj" or "v_proj" => Rows(whole, Spread(heads, from.HeadSize), from.KeyValueHeads * from.HeadSize),
            "gate_proj" or "up_proj" => Rows(whole, channels, from.IntermediateSize),
            "o_proj" when part.EndsWith(".weight", StringComparison.Ordinal) =>
                Columns(whole, Spread(heads, queries), from.Heads * from.HeadSize),
            "down_proj" when part.EndsWith(".weight", StringComparison.Ordinal) => Columns(whole, channels, from.IntermediateSize),
            _ => whole,
        };
    }

    private static int[] Spread(int[] kept, int width) => [.. kept.SelectMany(index => Enumerable.Range(index * width, width))];

    private static float[] Rows(float[] whole, int[] kept, int count)
    {
        int width = whole.Length / count;
        return [.. kept.SelectMany(row => whole.AsMemory(row * width, width).ToArray())];
    }

    private static float[] Columns(float[] whole, int[] kept, int count) =>
        [.. Enumerable.Range(0, whole.Length / count).SelectMany(row => kept.Select(column => whole[(row * count) + column]))];
}
