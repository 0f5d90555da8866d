using System.Runtime.InteropServices;

namespace Distill.Teacher.Tests.Fixtures;

/// <summary>
/// The smallest graph with the inputs and outputs of a decoder, one layer of one head of size 8 and 16 tokens: token t has the
/// logits t · weight. For what the backend does around a model; what a model says is tested on real ones.
/// </summary>
internal sealed record TinyGraph
{
    public const int Vocabulary = 16;
    public const int HeadSize = 8;
    public const int Float = 1;
    public const int Int32 = 6;
    public const int Int64 = 7;
    public const int Bool = 9;
    public const int Float16 = 10;
    public const int Double = 11;

    /// <summary>GroupQueryAttention over a shared cache; otherwise Concat and position ids.</summary>
    public bool Shared { get; init; }

    /// <summary>Element type of cache and logits.</summary>
    public int Type { get; init; } = Float;

    /// <summary>A run never ends by itself, unless its tokens are all 0.</summary>
    public bool Endless { get; init; }

    public float Weight { get; init; } = 1;

    /// <summary>An input that no engine knows.</summary>
    public string? ExtraInput { get; init; }

    public string? Without { get; init; }

    public string CacheDims { get; init; } = $"batch 1 past {HeadSize}";

    public string IdDims { get; init; } = "batch sequence";

    public byte[] ToBytes() => new OnnxMessage().Number(1, 8).Message(7, Graph())
        .Message(8, new OnnxMessage().Text(1, "").Number(2, 18))
        .Message(8, new OnnxMessage().Text(1, "com.microsoft").Number(2, 1)).ToBytes();

    private OnnxMessage Graph()
    {
        var graph = new OnnxMessage().Text(2, "tiny");
        foreach (OnnxMessage node in Nodes()) graph.Message(1, node);
        foreach (OnnxMessage tensor in Weights()) graph.Message(5, tensor);
        string[] inputs = Shared ? ["input_ids", "attention_mask"] : ["input_ids", "attention_mask", "position_ids"];
        foreach (string name in inputs.Append(ExtraInput).OfType<string>().Where(name => name != Without))
            graph.Message(11, OnnxMessage.Value(name, Int64, name == "attention_mask" ? "batch total" : IdDims));
        foreach (string name in (string[])["key", "value"])
        {
            graph.Message(11, OnnxMessage.Value($"past_key_values.0.{name}", Type, CacheDims));
            graph.Message(12, OnnxMessage.Value($"present.0.{name}", Type, $"batch 1 total {HeadSize}"));
        }

        return graph.Message(12, OnnxMessage.Value("logits", Type, $"batch sequence {Vocabulary}"));
    }

    private IEnumerable<OnnxMessage> Nodes()
    {
        yield return OnnxMessage.Node("Cast", "input_ids", "x", OnnxMessage.Attribute("to", Type));
        yield return OnnxMessage.Node("Unsqueeze", "x last", "x3"); // [batch, sequence, 1]
        yield return OnnxMessage.Node("Mul", "x3 ones", "hidden");  // [batch, sequence, head size]
        if (Endless)
        {
            yield return OnnxMessage.Node("ReduceSum", "input_ids", "sum", OnnxMessage.Attribute("keepdims", 0));
            yield return OnnxMessage.Node("Cast", "sum", "turns", OnnxMessage.Attribute("to", Bool));
            yield return OnnxMessage.Node("Loop", "forever turns x3", "ended", OnnxMessage.Attribute("body", Body()));
        }

        yield return OnnxMessage.Node("Mul", $"{(Endless ? "ended" : "x3")} weight", "logits");
        foreach (OnnxMessage node in Shared ? SharedCache() : GrowingCache()) yield return node;
    }

    private static IEnumerable<OnnxMessage> GrowingCache()
    {
        yield return OnnxMessage.Node("Unsqueeze", "hidden head", "new"); // [batch, 1, sequence, head size]
        foreach (string name in (string[])["key", "value"])
            yield return OnnxMessage.Node("Concat", $"past_key_values.0.{name} new", $"present.0.{name}", OnnxMessage.Attribute("axis", 2));
    }

    private static IEnumerable<OnnxMessage> SharedCache()
    {
        yield return OnnxMessage.Node("ReduceSum", "attention_mask head", "held", OnnxMessage.Attribute("keepdims", 0));
        yield return OnnxMessage.Node("Sub", "held head", "before"); // the axis 1 serves as the number 1
        yield return OnnxMessage.Node("Cast", "before", "seqlens", OnnxMessage.Attribute("to", Int32));
        yield return OnnxMessage.Node("Shape", "attention_mask", "shape", OnnxMessage.Attribute("start", 1));
        yield return OnnxMessage.Node("Cast", "shape", "length", OnnxMessage.Attribute("to", Int32));
        yield return OnnxMessage.Node(
            "com.microsoft.GroupQueryAttention", "hidden hidden hidden past_key_values.0.key past_key_values.0.value seqlens length",
            "attended present.0.key present.0.value", OnnxMessage.Attribute("num_heads", 1), OnnxMessage.Attribute("kv_num_heads", 1));
    }

    private IEnumerable<OnnxMessage> Weights()
    {
        float[] weight = new float[Vocabulary], ones = new float[HeadSize];
        Array.Fill(ones, 1);
        for (int i = 0; i < Vocabulary; i++) weight[i] = Weight * (i + 1) / Vocabulary;
        yield return OnnxMessage.Tensor("weight", Type, Data(weight), Vocabulary);
        yield return OnnxMessage.Tensor("ones", Type, Data(ones), HeadSize);
        yield return OnnxMessage.Tensor("last", Int64, BitConverter.GetBytes(-1L), 1);
        yield return OnnxMessage.Tensor("head", Int64, BitConverter.GetBytes(1L), 1);
        yield return OnnxMessage.Tensor("forever", Int64, BitConverter.GetBytes(long.MaxValue));
    }

    private OnnxMessage Body() => new OnnxMessage().Text(2, "body")
        .Message(1, OnnxMessage.Node("Identity", "on", "on_next"))
        .Message(1, OnnxMessage.Node("Neg", "carried", "carried_next"))
        .Message(11, OnnxMessage.Value("turn", Int64, "")).Message(11, OnnxMessage.Value("on", Bool, ""))
        .Message(11, OnnxMessage.Value("carried", Type, "batch sequence 1"))
        .Message(12, OnnxMessage.Value("on_next", Bool, "")).Message(12, OnnxMessage.Value("carried_next", Type, "batch sequence 1"));

    private byte[] Data(float[] values) => Type switch
    {
        Float => MemoryMarshal.AsBytes<float>(values).ToArray(),
        Float16 => MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray(),
        _ => MemoryMarshal.AsBytes<double>(Array.ConvertAll(values, value => (double)value)).ToArray(),
    };
}
