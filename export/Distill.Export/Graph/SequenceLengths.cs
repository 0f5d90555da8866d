using Distill.Export.Onnx;

namespace Distill.Export.Graph;

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
