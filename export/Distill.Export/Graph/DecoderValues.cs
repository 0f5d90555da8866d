using Distill.Architecture;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>
/// Inputs and outputs, named as GenAI, optimum and transformers.js name them. transformers.js reads shapes from the model: the batch
/// must be called <c>batch_size</c> and the head size must be a number.
/// </summary>
internal static class DecoderValues
{
    public const string Ids = "input_ids", Mask = "attention_mask", Logits = "logits";

    private const string Batch = "batch_size", Time = "sequence_length", Past = "past_sequence_length", Total = "total_sequence_length";

    public static string PastKey(int layer) => $"past_key_values.{layer}.key";

    public static string PastValue(int layer) => $"past_key_values.{layer}.value";

    public static string PresentKey(int layer) => $"present.{layer}.key";

    public static string PresentValue(int layer) => $"present.{layer}.value";

    /// <param name="cache">Type of keys and values.</param>
    public static IReadOnlyList<OnnxValue> Inputs(DecoderArchitecture a, OnnxElementType cache)
    {
        List<OnnxValue> inputs = [new(Ids, OnnxElementType.Int64, [Batch, Time]), new(Mask, OnnxElementType.Int64, [Batch, Total])];
        for (int layer = 0; layer < a.Layers; layer++)
        {
            inputs.Add(Cache(PastKey(layer), cache, a, Past));
            inputs.Add(Cache(PastValue(layer), cache, a, Past));
        }

        return inputs;
    }

    /// <inheritdoc cref="Inputs"/>
    public static IReadOnlyList<OnnxValue> Outputs(DecoderArchitecture a, OnnxElementType cache)
    {
        var outputs = new List<OnnxValue> { new(Logits, OnnxElementType.Float, [Batch, Time, a.VocabularySize]) };
        for (int layer = 0; layer < a.Layers; layer++)
        {
            outputs.Add(Cache(PresentKey(layer), cache, a, Total));
            outputs.Add(Cache(PresentValue(layer), cache, a, Total));
        }

        return outputs;
    }

    // [batch, kv, time, headSize]
    private static OnnxValue Cache(string name, OnnxElementType type, DecoderArchitecture a, string length) =>
        new(name, type, [Batch, a.KeyValueHeads, length, a.HeadSize]);
}

/// <summary>
/// What GroupQueryAttention wants to know of the attention mask: how many positions each row has, less one, [batch], and the padded
/// total, a scalar; both int32. The mask is only counted, so rows must be padded on the right.
/// </summary>
internal static class SequenceLengths
{
    public const string LastPosition = "sequence.last", Total = "sequence.total";

    public static void Add(GraphAssembly graph)
    {
        var toInt32 = OnnxAttribute.Of("to", (long)OnnxElementType.Int32);
        string one = graph.Integers("constant.one", [1]);
        string counted = graph.Add("ReduceSum", "sequence.counted", [DecoderValues.Mask, one], OnnxAttribute.Of("keepdims", 0));
        string last = graph.Add("Sub", "sequence.last64", [counted, one]);
        graph.Add("Cast", LastPosition, [last], toInt32);
        string shape = graph.Add("Shape", "sequence.shape", [DecoderValues.Mask]);
        string total = graph.Add("Gather", "sequence.total64", [shape, graph.Integers("constant.axis", [1], scalar: true)]);
        graph.Add("Cast", Total, [total], toInt32);
    }
}
