using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>What a decoder graph takes and gives, read from the loaded session and checked against what the engine feeds.</summary>
/// <param name="LastLogitsOnly">The graph gives [batch, 1, vocab]: only the last position.</param>
internal sealed record DecoderSignature(GraphNames Names, CacheLayout Layout, bool LastLogitsOnly)
{
    public int VocabularySize => Layout.VocabularySize;

    /// <param name="facts">Tells a shared cache from a growing one, which inputs and outputs alone do not.</param>
    /// <param name="configuration">Fills symbolic dimensions and must agree with fixed ones; null for a graph that says all itself.</param>
    /// <param name="source">File or description, for messages.</param>
    /// <exception cref="InvalidDataException">The graph is not a decoder with a key-value cache, or contradicts its configuration.</exception>
    public static DecoderSignature Read(InferenceSession session, GraphFacts facts, GenAIConfiguration? configuration, string source)
    {
        var names = configuration?.Names ?? new GraphNames();
        var inputs = new GraphValues(session.InputMetadata, source);
        var outputs = new GraphValues(session.OutputMetadata, source);
        int layers = 0;
        while (inputs.Has(GraphNames.Of(names.PastKey, layers))) layers++;
        if (layers == 0 || layers != (configuration?.Layers ?? layers))
            throw inputs.Fault($"has {layers} layers with a cache input ('{names.PastKey}'), expected {configuration?.Layers.ToString() ?? "at least 1"}{SaidBy(configuration)}");
        CheckInputs(inputs, names, layers, facts.SharesCache);

        var sizes = new CacheSizes(configuration, source);
        var cacheType = inputs.TypeOf(GraphNames.Of(names.PastKey, 0));
        for (int layer = 0; layer < layers; layer++)
        {
            sizes.Add(inputs, GraphNames.Of(names.PastKey, layer), cacheType);
            sizes.Add(inputs, GraphNames.Of(names.PastValue, layer), cacheType);
            sizes.Add(outputs, GraphNames.Of(names.PresentKey, layer), cacheType);
            sizes.Add(outputs, GraphNames.Of(names.PresentValue, layer), cacheType);
        }

        var logitsType = outputs.TypeOf(names.Logits);
        int[] logits = outputs.Expect(names.Logits, logitsType, 3);
        int vocabulary = sizes.Agreed("vocabulary of the logits", logits[2], configuration?.VocabularySize, 0);
        var layout = new CacheLayout(layers, sizes.Heads, sizes.HeadSize, vocabulary)
        {
            CacheType = cacheType, LogitsType = logitsType, Grows = !facts.SharesCache, Windows = CacheLayout.WindowsOf(configuration, layers),
        };
        return new DecoderSignature(names, layout, logits[1] == 1);
    }

    public static string SaidBy(GenAIConfiguration? configuration) => configuration is null ? "" : $" ({configuration.SourceFile})";

    private static void CheckInputs(GraphValues inputs, GraphNames names, int layers, bool sharesCache)
    {
        if (!sharesCache && !inputs.Has(names.PositionIds))
            throw inputs.Fault($"has neither GroupQueryAttention nor an input '{names.PositionIds}', so rows of different length cannot be run together");
        var known = new HashSet<string>(StringComparer.Ordinal) { names.InputIds, names.AttentionMask };
        if (!sharesCache) known.Add(names.PositionIds);
        foreach (string name in known)
        {
            int[] dims = inputs.Expect(name, TensorElementType.Int64, 2);
            if (dims[0] > 0 || dims[1] > 0) throw inputs.Fault($"fixes the shape of '{name}' to [{string.Join(", ", dims)}]; batch and length must be open");
        }

        for (int layer = 0; layer < layers; layer++)
        {
            known.Add(GraphNames.Of(names.PastKey, layer));
            known.Add(GraphNames.Of(names.PastValue, layer));
        }

        string[] unknown = [.. inputs.Names.Where(name => !known.Contains(name)).Take(5)];
        if (unknown.Length > 0) throw inputs.Fault($"has inputs that the engine does not feed: {string.Join(", ", unknown)}");
    }
}
