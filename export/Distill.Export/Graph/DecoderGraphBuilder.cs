using Distill.Architecture;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>An architecture as a graph, in the order of the model: embedding, layers, final norm, logits.</summary>
internal static class DecoderGraphBuilder
{
    /// <exception cref="InvalidDataException">GroupQueryAttention cannot compute this architecture.</exception>
    public static OnnxModel Build(DecoderArchitecture a, ExportPrecision exportPrecision)
    {
        a.Validate();
        if (a.HeadSize % 16 != 0) throw new InvalidDataException($"head_dim {a.HeadSize} cannot be exported: ONNX Runtime's GroupQueryAttention with rotary embedding needs a multiple of 16.");
        var precision = GraphPrecision.Of(exportPrecision);
        var graph = new GraphAssembly();
        SequenceLengths.Add(graph);
        RotaryTables.Add(graph, a, precision.Floats);
        Layers(graph, a, precision);
        return new()
        {
            Name = a.ModelType,
            Inputs = DecoderValues.Inputs(a, precision.Floats),
            Outputs = DecoderValues.Outputs(a, precision.Floats),
            Nodes = graph.Nodes,
            Initializers = graph.Initializers,
        };
    }

    private static void Layers(GraphAssembly graph, DecoderArchitecture a, GraphPrecision precision)
    {
        var embedding = new ParameterSpec(ParameterMap.Embedding, [a.VocabularySize, a.HiddenSize]);
        string Norm(string parameter) => graph.Weight(parameter, new ParameterSpec(parameter, [a.HiddenSize]), precision.Floats);
        string table = graph.Weight(ParameterMap.Embedding, embedding, precision.Floats);
        string residual = graph.Add("Gather", "embedded", [table, DecoderValues.Ids]); // [batch, time, hidden]
        string normed = NormGraph.Add(graph, residual, "layers.0.attention.normed", Norm(ParameterMap.Layer(0, "input_layernorm.weight")), a.RmsNormEpsilon);
        var attention = new AttentionGraph(graph, a, precision);
        var feedForward = new FeedForwardGraph(graph, a, precision);
        for (int layer = 0; layer < a.Layers; layer++)
        {
            string attended = attention.Add(layer, normed);
            (normed, residual) = NormGraph.AddSkip(graph, residual, attended, $"layers.{layer}.mlp", Norm(ParameterMap.Layer(layer, "post_attention_layernorm.weight")), a.RmsNormEpsilon);
            string fed = feedForward.Add(layer, normed);
            bool last = layer == a.Layers - 1;
            string next = last ? ParameterMap.FinalNorm : ParameterMap.Layer(layer + 1, "input_layernorm.weight");
            (normed, residual) = NormGraph.AddSkip(graph, residual, fed, last ? "final" : $"layers.{layer + 1}.attention", Norm(next), a.RmsNormEpsilon, last);
        }

        OutputProjection(graph, a, precision, normed, table);
    }

    // A tied head transposes the stored embedding: folded when the model is opened, so it costs no bytes in the file and no time in a run.
    private static void OutputProjection(GraphAssembly graph, DecoderArchitecture a, GraphPrecision precision, string normed, string table)
    {
        if (a.TieEmbeddings) graph.Add("MatMul", DecoderValues.Logits, [normed, graph.Add("Transpose", "lm_head.transposed", [table], OnnxAttribute.Of("perm", [1, 0]))]);
        else precision.Projections.Multiply(graph, normed, DecoderValues.Logits, "lm_head", new ProjectionWeights(new ParameterSpec(ParameterMap.OutputProjection, [a.VocabularySize, a.HiddenSize])));
    }
}
