using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>An architecture as a graph, in the order of the model: embedding, layers, final norm, logits.</summary>
internal static class DecoderGraphBuilder
{
    /// <exception cref="InvalidDataException">The operators cannot compute this architecture; the message says why.</exception>
    public static OnnxModel Build(DecoderArchitecture a, WeightFormat format)
    {
        a.Validate();
        var graph = new GraphAssembly(format.Flow);
        Layers(graph, a, format, DecoderOperators.Of(graph, a, format));
        return new()
        {
            Name = a.ModelType,
            Inputs = DecoderValues.Inputs(a, format.Attention),
            Outputs = DecoderValues.Outputs(a, format.Attention),
            Nodes = graph.Nodes,
            IsStandard = format.IsPortable,
            Initializers = graph.Initializers,
        };
    }

    private static void Layers(GraphAssembly graph, DecoderArchitecture a, WeightFormat format, DecoderOperators operators)
    {
        var embedding = new ParameterSpec(ParameterMap.Embedding, [a.VocabularySize, a.HiddenSize]);
        string Norm(string parameter) => graph.Weight(parameter, new ParameterSpec(parameter, [a.HiddenSize]));
        string residual = format.Embed(graph, DecoderValues.Ids, "embedded", embedding); // [batch, time, hidden]
        string first = Norm(ParameterMap.Layer(0, "input_layernorm.weight"));
        string normed = operators.Norm(residual, "layers.0.attention.normed", first);
        var attention = new AttentionGraph(graph, a, format, operators);
        var feedForward = new FeedForwardGraph(graph, a, format);
        for (int layer = 0; layer < a.Layers; layer++)
        {
            string attended = attention.Add(layer, normed);
            string after = Norm(ParameterMap.Layer(layer, "post_attention_layernorm.weight"));
            (normed, residual) = operators.NormOfSum(residual, attended, $"layers.{layer}.mlp", after);
            string fed = feedForward.Add(layer, normed);
            bool last = layer == a.Layers - 1;
            string next = last ? ParameterMap.FinalNorm : ParameterMap.Layer(layer + 1, "input_layernorm.weight");
            string name = last ? "final" : $"layers.{layer + 1}.attention";
            (normed, residual) = operators.NormOfSum(residual, fed, name, Norm(next), last);
        }

        var head = a.TieEmbeddings ? embedding : new ParameterSpec(ParameterMap.OutputProjection, [a.VocabularySize, a.HiddenSize]);
        format.Head(graph, normed, DecoderValues.Logits, head, a.TieEmbeddings);
    }
}
