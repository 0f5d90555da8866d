using Distill.Architecture;
using Distill.Student.Model;

namespace Distill.Export.Quantization;

/// <summary>
/// One layer of a decoder at a time, whose weights are set before it is run: a pass over a model that holds no more than one layer.
/// Decoders
/// whose layers differ (windows, rotary embedding) get one for each kind. One thread; dispose it.
/// </summary>
internal sealed class LayerDecoder(DecoderArchitecture architecture) : IDisposable
{
    private readonly Dictionary<(bool Windowed, bool Rotary), (FlatParameters Parameters, TorchDecoder Decoder)> kinds = [];

    /// <summary>The decoder with the weights of a layer; its own layer has index 0.</summary>
    public TorchDecoder Load(WeightSet weights, int layer)
    {
        var (parameters, decoder) = Of(layer);
        foreach (var parameter in ParameterMap.For(parameters.Architecture).Where(parameter => IsLayers(parameter.Name)))
            parameters.Set(parameter.Name, weights[NameAt(parameter.Name, layer)].Span);
        return decoder;
    }

    /// <summary>Changes one matrix of the layer that was loaded last.</summary>
    /// <param name="part">Within the layer, as in <c>mlp.down_proj</c>.</param>
    public void Set(int layer, string part, ReadOnlySpan<float> values) =>
        Of(layer).Parameters.Set(CalibrationOptions.NameOf(0, part), values);

    public void Dispose()
    {
        foreach (var (parameters, decoder) in kinds.Values)
        {
            decoder.Dispose();
            parameters.Dispose();
        }
    }

    private (FlatParameters Parameters, TorchDecoder Decoder) Of(int layer)
    {
        var kind = (architecture.WindowOf(layer) is not null, architecture.IsRotary(layer));
        if (kinds.TryGetValue(kind, out var made)) return made;
        var parameters = new FlatParameters(Single(kind.Item1, kind.Item2));
        kinds.Add(kind, made = (parameters, new TorchDecoder(parameters, differentiable: false)));
        return made;
    }

    // A vocabulary of one: the tables are no part of a layer.
    private DecoderArchitecture Single(bool windowed, bool rotary) => architecture with
    {
        Layers = 1, VocabularySize = 1, TieEmbeddings = true, EndTokenIds = new([0]), BosTokenId = null, PadTokenId = null,
        PlainLayers = rotary ? LayerSet.None : new([0]),
        WindowLayers = windowed ? new([0]) : LayerSet.None,
        SlidingWindow = windowed ? architecture.SlidingWindow : null,
    };

    private static bool IsLayers(string name) => name.StartsWith(ParameterMap.Layer(0, ""), StringComparison.Ordinal);

    private static string NameAt(string name, int layer) => ParameterMap.Layer(layer, name[ParameterMap.Layer(0, "").Length..]);
}
