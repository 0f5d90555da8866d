using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>What a decoder graph takes and gives, read from the loaded session and checked against what the engine feeds.</summary>
/// <param name="LastLogitsOnly">The graph gives [batch, 1, vocab]: only the last position.</param>
internal sealed record DecoderSignature(GraphNames Names, int Layers, int KeyValueHeads, int HeadSize, int VocabularySize, bool LastLogitsOnly)
{
    /// <param name="configuration">Fills symbolic dimensions and must agree with fixed ones; null for a graph that says all itself.</param>
    /// <param name="source">File or description, for messages.</param>
    /// <exception cref="InvalidDataException">The graph is not a decoder with a shared key-value cache, or contradicts its configuration.</exception>
    public static DecoderSignature Read(InferenceSession session, GenAIConfiguration? configuration, string source)
    {
        var names = configuration?.Names ?? new GraphNames();
        var (inputs, outputs) = (session.InputMetadata, session.OutputMetadata);
        int layers = 0;
        while (inputs.ContainsKey(GraphNames.Of(names.PastKey, layers))) layers++;
        Agree("layers with a cache input", layers, configuration?.Layers ?? Math.Max(layers, 1));
        Expect(inputs, names.InputIds, TensorElementType.Int64, 2);
        Expect(inputs, names.AttentionMask, TensorElementType.Int64, 2);
        if (inputs.ContainsKey(names.PositionIds))
            throw Fault($"takes '{names.PositionIds}', so its cache grows by copies; this engine shares one cache buffer (GroupQueryAttention). Export the model again");
        if (inputs.Count != 2 + (2 * layers))
            throw Fault($"has inputs that the engine does not feed: {string.Join(", ", inputs.Keys.Where(name => !IsKnown(name)).Take(5))}");

        int heads = 0, headSize = 0;
        for (int layer = 0; layer < layers; layer++)
        {
            foreach (string pattern in (string[])[names.PastKey, names.PastValue, names.PresentKey, names.PresentValue])
            {
                bool past = pattern == names.PastKey || pattern == names.PastValue;
                int[] dims = Expect(past ? inputs : outputs, GraphNames.Of(pattern, layer), TensorElementType.Float, 4);
                heads = Dimension($"key-value heads of {GraphNames.Of(pattern, layer)}", dims[1], configuration?.KeyValueHeads, heads);
                headSize = Dimension($"head size of {GraphNames.Of(pattern, layer)}", dims[3], configuration?.HeadSize, headSize);
            }
        }

        int[] logits = Expect(outputs, names.Logits, TensorElementType.Float, 3);
        int vocabulary = Dimension("vocabulary of the logits", logits[2], configuration?.VocabularySize, 0);
        return new DecoderSignature(names, layers, heads, headSize, vocabulary, logits[1] == 1);

        InvalidDataException Fault(string reason) => new($"{source} {reason}.");

        bool IsKnown(string name) => name == names.InputIds || name == names.AttentionMask
            || Enumerable.Range(0, layers).Any(layer => name == GraphNames.Of(names.PastKey, layer) || name == GraphNames.Of(names.PastValue, layer));

        int[] Expect(IReadOnlyDictionary<string, NodeMetadata> values, string name, TensorElementType type, int rank)
        {
            if (!values.TryGetValue(name, out NodeMetadata? value)) throw Fault($"has no '{name}'");
            if (!value.IsTensor || value.ElementDataType != type || value.Dimensions.Length != rank)
                throw Fault($"declares '{name}' as {value.ElementDataType} of rank {value.Dimensions?.Length}; the engine needs {type} of rank {rank}");
            return value.Dimensions;
        }

        int Dimension(string what, int graph, int? configured, int known)
        {
            int size = graph > 0 ? graph : configured ?? known;
            if (size <= 0) throw Fault($"leaves the {what} open; give it as a number");
            if (configured is { } expected) Agree(what, size, expected);
            if (known > 0) Agree(what, size, known);
            return size;
        }

        void Agree(string what, int graph, int expected)
        {
            if (graph != expected) throw Fault($"has {what} {graph}, expected {expected}{(configuration is null ? "" : $" ({ModelFolder.ConfigurationFile})")}");
        }
    }
}
