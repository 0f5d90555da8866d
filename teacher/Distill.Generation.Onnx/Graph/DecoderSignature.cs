using Distill.Storage;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>What a decoder graph takes and gives, read from the loaded session and checked against what the engine feeds.</summary>
/// <param name="LastLogitsOnly">The graph gives [batch, 1, vocab]: only the last position.</param>
/// <param name="SelectsRows">The graph gives [1, rows, vocab] for the rows that <see cref="LogitRowSelection.Input"/> names.</param>
internal sealed record DecoderSignature(GraphNames Names, CacheLayout Layout, bool LastLogitsOnly, bool SelectsRows)
{
    public int VocabularySize => Layout.VocabularySize;

    /// <summary>False for a graph that derives positions from lengths or from the mask.</summary>
    public bool TakesPositions { get; init; }

    /// <param name="facts">Tells a shared cache from a growing one, which inputs and outputs alone do not.</param>
    /// <param name="configuration">Fills symbolic dimensions and must agree with fixed ones; null for a graph that says all itself.</param>
    /// <param name="source">File or description, for messages.</param>
    /// <param name="weights">Inputs that are weights, which every session binds; null for a graph that holds its own.</param>
    /// <exception cref="InvalidDataException">
    /// The graph is not a decoder with a key-value cache, or contradicts its configuration.
    /// </exception>
    public static DecoderSignature Read(
        InferenceSession session, GraphFacts facts, GenAIConfiguration? configuration, string source, IEnumerable<string>? weights = null)
    {
        var names = configuration?.Names ?? new GraphNames();
        var inputs = new GraphValues(session.InputMetadata, source);
        var outputs = new GraphValues(session.OutputMetadata, source);
        int layers = 0;
        while (inputs.Has(GraphNames.Of(names.PastKey, layers))) layers++;
        if (layers == 0 || layers != (configuration?.Layers ?? layers))
            throw inputs.Fault(
                $"has {layers} layers with a cache input ('{names.PastKey}'), expected "
                    + $"{configuration?.Layers.ToString() ?? "at least 1"}{SaidBy(configuration)}");
        CheckInputs(inputs, names, layers, facts, weights ?? []);

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
            CacheType = cacheType, LogitsType = logitsType, Grows = !facts.SharesCache,
            Windows = CacheLayout.WindowsOf(configuration, layers),
        };
        return new DecoderSignature(names, layout, logits[1] == 1, inputs.Has(LogitRowSelection.Input))
            { TakesPositions = inputs.Has(names.PositionIds) };
    }

    public static string SaidBy(GenAIConfiguration? configuration) => configuration is null ? "" : $" ({configuration.SourceFile})";

    private static void CheckInputs(GraphValues inputs, GraphNames names, int layers, GraphFacts facts, IEnumerable<string> weights)
    {
        bool takesPositions = !facts.SharesCache && inputs.Has(names.PositionIds);
        if (!facts.SharesCache && !takesPositions && !facts.CountsPositions)
            throw inputs.Fault(
                $"has neither GroupQueryAttention nor an input '{names.PositionIds}', nor does it count positions over the attention mask, "
                    + "so rows of different length cannot be run together");
        var known = new HashSet<string>(StringComparer.Ordinal) { names.InputIds, names.AttentionMask };
        if (takesPositions) known.Add(names.PositionIds);
        foreach (string name in known)
        {
            int[] dims = inputs.Expect(name, TensorElementType.Int64, 2);
            if (dims[0] > 0 || dims[1] > 0)
                throw inputs.Fault($"fixes the shape of '{name}' to [{string.Join(", ", dims)}]; batch and length must be open");
        }

        known.Add(LogitRowSelection.Input);
        known.UnionWith(weights);
        for (int layer = 0; layer < layers; layer++)
        {
            known.Add(GraphNames.Of(names.PastKey, layer));
            known.Add(GraphNames.Of(names.PastValue, layer));
        }

        string[] unknown = [.. inputs.Names.Where(name => !known.Contains(name)).Take(5)];
        if (unknown.Length > 0) throw inputs.Fault($"has inputs that the engine does not feed: {string.Join(", ", unknown)}");
    }
}

/// <summary>
/// Key-value heads and head size, gathered from every cache tensor [batch, heads, length, head size] and the configuration: all must agree.
/// </summary>
internal sealed class CacheSizes(GenAIConfiguration? configuration, string source)
{
    public int Heads { get; private set; }

    public int HeadSize { get; private set; }

    /// <exception cref="InvalidDataException">The tensor differs from those before, or from the configuration.</exception>
    public void Add(GraphValues values, string name, TensorElementType type)
    {
        int[] dims = values.Expect(name, type, 4);
        if (dims[0] > 0 || dims[2] > 0)
            throw values.Fault($"fixes the shape of '{name}' to [{string.Join(", ", dims)}]; batch and length must be open");
        Heads = Agreed($"key-value heads of {name}", dims[1], configuration?.KeyValueHeads, Heads);
        HeadSize = Agreed($"head size of {name}", dims[3], configuration?.HeadSize, HeadSize);
    }

    /// <summary>The one size that graph, configuration and what was seen before give; 0 or less means open.</summary>
    public int Agreed(string what, int graph, int? configured, int known)
    {
        int size = graph > 0 ? graph : configured ?? known;
        if (size <= 0) throw new InvalidDataException(Printable.Of($"{source} leaves the {what} open; give it as a number."));
        int expected = configured ?? (known > 0 ? known : size);
        return size == expected && (known <= 0 || size == known)
            ? size
            : throw new InvalidDataException(
                Printable.Of($"{source} has {what} {size}, expected {expected}{DecoderSignature.SaidBy(configuration)}."));
    }
}

/// <summary>Inputs or outputs of a loaded graph; what is not as the engine needs it is refused by name.</summary>
internal readonly struct GraphValues(IReadOnlyDictionary<string, NodeMetadata> values, string source)
{
    public IEnumerable<string> Names => values.Keys;

    public bool Has(string name) => values.ContainsKey(name);

    /// <summary>Element type of a value that holds floating-point numbers.</summary>
    /// <exception cref="InvalidDataException">It is absent, or none of the three types that the engine reads.</exception>
    public TensorElementType TypeOf(string name)
    {
        NodeMetadata value = Find(name);
        return value.IsTensor && CacheLayout.IsSupported(value.ElementDataType)
            ? value.ElementDataType
            : throw Fault(
                $"declares '{name}' as {(value.IsTensor ? value.ElementDataType : value.OnnxValueType)}; the engine needs Float, "
                    + "Float16 or BFloat16");
    }

    /// <returns>The dimensions; a symbolic one is negative.</returns>
    /// <exception cref="InvalidDataException">The value is absent or of another type or rank.</exception>
    public int[] Expect(string name, TensorElementType type, int rank)
    {
        NodeMetadata value = Find(name);
        if (value.IsTensor && value.ElementDataType == type && value.Dimensions.Length == rank) return value.Dimensions;
        string found = value.IsTensor ? $"{value.ElementDataType} of rank {value.Dimensions.Length}" : value.OnnxValueType.ToString();
        throw Fault($"declares '{name}' as {found}; the engine needs {type} of rank {rank}");
    }

    public InvalidDataException Fault(string reason) => new(Printable.Of($"{source} {reason}."));

    private NodeMetadata Find(string name) => values.TryGetValue(name, out NodeMetadata? value) ? value : throw Fault($"has no '{name}'");
}
