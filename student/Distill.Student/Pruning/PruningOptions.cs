using Distill.Architecture;

namespace Distill.Student.Pruning;

/// <summary>The size that a decoder is cut to; null leaves a dimension as it is.</summary>
/// <param name="Layers">Layers kept.</param>
/// <param name="Intermediate">Feed-forward channels kept in every layer.</param>
/// <param name="KeyValueHeads">Key-value heads kept in every layer, each with all its query heads.</param>
public sealed record PruningOptions(int? Layers = null, int? Intermediate = null, int? KeyValueHeads = null)
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
