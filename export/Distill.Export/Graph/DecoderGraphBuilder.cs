using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>An architecture as a graph, in the order of the model: embedding, layers, final norm, logits.</summary>
internal static class DecoderGraphBuilder
{
    /// <exception cref="InvalidDataException">GroupQueryAttention cannot compute this architecture.</exception>
    public static OnnxModel Build(DecoderArchitecture a, WeightFormat format)
    {
        a.Validate();
        if (a.HeadSize % 16 != 0)
            throw new InvalidDataException(
                $"head_dim {a.HeadSize} cannot be exported: ONNX Runtime's rotary GroupQueryAttention needs a multiple of 16.");
        var graph = new GraphAssembly(format.Flow);
        SequenceLengths.Add(graph);
        if (a.PlainLayers.Count < a.Layers) RotaryCaches.Add(graph, a, format.Attention);
        Layers(graph, a, format);
        return new()
        {
            Name = a.ModelType,
            Inputs = DecoderValues.Inputs(a, format.Attention),
            Outputs = DecoderValues.Outputs(a, format.Attention),
            Nodes = graph.Nodes,
            Initializers = graph.Initializers,
        };
    }

    private static void Layers(GraphAssembly graph, DecoderArchitecture a, WeightFormat format)
    {
        var embedding = new ParameterSpec(ParameterMap.Embedding, [a.VocabularySize, a.HiddenSize]);
        string Norm(string parameter) => graph.Weight(parameter, new ParameterSpec(parameter, [a.HiddenSize]));
        string residual = format.Embed(graph, DecoderValues.Ids, "embedded", embedding); // [batch, time, hidden]
        string normed = NormGraph.Add(graph, residual, "layers.0.attention.normed", Norm(ParameterMap.Layer(0, "input_layernorm.weight")),
            a.RmsNormEpsilon);
        var attention = new AttentionGraph(graph, a, format);
        var feedForward = new FeedForwardGraph(graph, a, format);
        for (int layer = 0; layer < a.Layers; layer++)
        {
            string attended = attention.Add(layer, normed);
            string after = Norm(ParameterMap.Layer(layer, "post_attention_layernorm.weight"));
            (normed, residual) = NormGraph.AddSkip(graph, residual, attended, $"layers.{layer}.mlp", after, a.RmsNormEpsilon);
            string fed = feedForward.Add(layer, normed);
            bool last = layer == a.Layers - 1;
            string next = last ? ParameterMap.FinalNorm : ParameterMap.Layer(layer + 1, "input_layernorm.weight");
            string name = last ? "final" : $"layers.{layer + 1}.attention";
            (normed, residual) = NormGraph.AddSkip(graph, residual, fed, name, Norm(next), a.RmsNormEpsilon, last);
        }

        var head = a.TieEmbeddings ? embedding : new ParameterSpec(ParameterMap.OutputProjection, [a.VocabularySize, a.HiddenSize]);
        format.Head(graph, normed, DecoderValues.Logits, head, a.TieEmbeddings);
    }
}
