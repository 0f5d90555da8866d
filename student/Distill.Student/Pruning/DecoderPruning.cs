using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Pruning;

/// <summary>
/// Cuts a decoder to fewer layers, narrower feed-forwards and fewer heads, keeping what did most on sample text. The result is a decoder
/// like any other and wants a recovery: a training on what it is to do. One thread.
/// </summary>
internal static class DecoderPruning
{
    /// <summary>Measures and cuts.</summary>
    /// <param name="sample">Text that says what matters, at least one sequence.</param>
    /// <returns>New weights; asked to cut nothing, those of the base.</returns>
    /// <exception cref="InvalidDataException">The base is not that large; every fault is named.</exception>
    /// <exception cref="ArgumentException">No sample text.</exception>
    public static WeightSet Prune(WeightSet weights, PruningOptions options, IReadOnlyList<TrainingSequence> sample)
    {
        options.RequireFits(weights.Architecture);
        using var parameters = new FlatParameters(weights.Architecture);
        parameters.Load(weights);
        return Prune(weights, options, Measure(parameters, sample));
    }

    /// <returns>By layer.</returns>
    /// <exception cref="ArgumentException">No sample text.</exception>
    public static IReadOnlyList<LayerActivity> Measure(FlatParameters parameters, IReadOnlyList<TrainingSequence> sample)
    {
        if (sample.Count == 0) throw new ArgumentException("There is no sample text: nothing says which parts of the model matter.");
        using var probe = new ActivityProbe(parameters);
        return probe.Measure(sample);
    }

    /// <param name="activity">By layer of the base.</param>
    public static WeightSet Prune(WeightSet weights, PruningOptions options, IReadOnlyList<LayerActivity> activity)
    {
        var from = weights.Architecture;
        options.RequireFits(from);
        int[] layers = Largest([.. activity.Select(layer => layer.Change)], options.Layers ?? from.Layers);
        var to = Smaller(from, options, layers);
        var values = new Dictionary<string, float[]>();
        foreach (var spec in ParameterMap.For(to).Where(spec => !spec.Name.StartsWith("model.layers.", StringComparison.Ordinal)))
            values[spec.Name] = weights[spec.Name].ToArray();
        foreach (var (place, layer) in layers.Index())
        {
            int[] channels = Largest(activity[layer].Channels, to.IntermediateSize),
                heads = Largest(activity[layer].Heads, to.KeyValueHeads);
            new LayerCut(weights, layer, channels, heads).CopyTo(values, to, place);
        }

        return new WeightSet(to, values);
    }

    /// <summary>The places of the largest values, ascending; of equal ones the earlier.</summary>
    private static int[] Largest(IReadOnlyList<double> values, int count) =>
        [.. Enumerable.Range(0, values.Count).OrderByDescending(index => values[index]).Take(count).Order()];

    private static DecoderArchitecture Smaller(DecoderArchitecture large, PruningOptions options, int[] layers)
    {
        LayerSet Moved(LayerSet set) => LayerSet.Where(layers.Length, place => set.Contains(layers[place]));
        int keyValueHeads = options.KeyValueHeads ?? large.KeyValueHeads;
        var windows = Moved(large.WindowLayers);
        return large with
        {
            Layers = layers.Length,
            IntermediateSize = options.Intermediate ?? large.IntermediateSize,
            KeyValueHeads = keyValueHeads,
            Heads = large.Heads / large.KeyValueHeads * keyValueHeads,
            PlainLayers = Moved(large.PlainLayers),
            WindowLayers = windows,
            SlidingWindow = windows.Count > 0 ? large.SlidingWindow : null,
        };
    }
}

/// <summary>The size that a decoder is cut to; null leaves a dimension as it is.</summary>
/// <param name="Layers">Layers kept.</param>
/// <param name="Intermediate">Feed-forward channels kept in every layer.</param>
/// <param name="KeyValueHeads">Key-value heads kept in every layer, each with all its query heads.</param>
internal sealed record PruningOptions(int? Layers = null, int? Intermediate = null, int? KeyValueHeads = null)
{
    internal void RequireFits(DecoderArchitecture from)
    {
        var faults = new List<string>();
        void Require(int? asked, int there, string what)
        {
            if (asked < 1 || asked > there) faults.Add($"{asked} {what} of {there}");
        }

        Require(Layers, from.Layers, "layers");
        Require(Intermediate, from.IntermediateSize, "feed-forward channels");
        Require(KeyValueHeads, from.KeyValueHeads, "key-value heads");
        if (faults.Count > 0) throw new InvalidDataException($"The base cannot be cut to {string.Join(", ", faults)}.");
    }
}
