using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Onnx;
using Distill.Generation.Torch.Memory;

namespace Distill.Export.Graph;

/// <summary>
/// The graph of an architecture whose weights are inputs: each is a contiguous part of the vector that the trainer keeps in
/// <see cref="ParameterMap"/> order, so whoever runs it binds addresses and copies nothing. The graph's bytes hold no weight, and have no
/// limit for that reason. Immutable.
/// </summary>
internal sealed class InPlaceGraph
{
    private readonly OnnxModel model;

    /// <param name="type">Of the weights and of what flows.</param>
    /// <param name="attention">Type of the cache and of what attention computes: fp32, or fp16 or bf16 for a card.</param>
    /// <exception cref="InvalidDataException">The architecture cannot be expressed; the message says why.</exception>
    public InPlaceGraph(DecoderArchitecture architecture, OnnxElementType type, OnnxElementType attention)
    {
        var built = DecoderGraphBuilder.Build(architecture, new InPlaceFormat(type, attention));
        var weights = built.Initializers.Where(initializer => initializer.IsWeight).ToList();
        model = built with
        {
            Inputs = [.. built.Inputs, .. weights.Select(weight => new OnnxValue(
                weight.Name, weight.Type, [.. weight.Shape.Select(OnnxDimension.FromInt64)]))],
            Initializers = [.. built.Initializers.Where(initializer => !initializer.IsWeight)],
        };
        Weights = [.. Places(architecture, weights)];
    }

    /// <summary>Where each weight lies in the vector, in elements.</summary>
    public IReadOnlyList<WeightInput> Weights { get; }

    public byte[] ToBytes() => new OnnxTemplate(model, DecoderGraph.ProducerVersion).ToBytes(null);

    private static IEnumerable<WeightInput> Places(DecoderArchitecture architecture, List<OnnxInitializer> weights)
    {
        var offsets = new Dictionary<string, long>();
        long count = 0;
        foreach (var parameter in ParameterMap.For(architecture))
        {
            offsets.Add(parameter.Name, count);
            count += parameter.Count;
        }

        foreach (var weight in weights)
        {
            long first = offsets[weight.Stored[0].Name], end = first;
            foreach (var part in weight.Stored)
            {
                if (offsets[part.Name] != end)
                    throw new InvalidOperationException($"'{part.Name}' does not follow the weights that '{weight.Name}' puts before it.");
                end += part.Count;
            }

            yield return new(weight.Name, first, weight.Shape);
        }
    }
}
