using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Onnx;

namespace Distill.Export.Graph;

/// <summary>
/// How the norms and the attention of a decoder are written: by ONNX Runtime's own operators, or by those of the ONNX standard alone.
/// </summary>
internal abstract class DecoderOperators
{
    public static DecoderOperators Of(GraphAssembly graph, DecoderArchitecture a, WeightFormat format) =>
        format.IsPortable ? new StandardOperators(graph, a) : new RuntimeOperators(graph, a, format);

    /// <summary>Whether <see cref="Attend"/> takes queries, keys and values side by side, with no names for keys and values.</summary>
    public abstract bool TakesPacked { get; }

    /// <summary>RMS norm over the last dimension.</summary>
    /// <returns><paramref name="output"/>.</returns>
    public abstract string Norm(string input, string output, string weight);

    /// <summary>Adds a branch to the residual stream and normalises the sum.</summary>
    /// <param name="last">Nobody reads the sum itself.</param>
    /// <returns>The normalised sum and the sum itself.</returns>
    public abstract (string Normed, string Residual) NormOfSum(
        string residual, string branch, string name, string weight, bool last = false);

    /// <summary>Attention of the new positions to all, through the layer's cache.</summary>
    /// <param name="at">Prefix of names.</param>
    /// <param name="qkv">[batch, time, heads or key-value heads · headSize] each; not yet turned by their rotary angles.</param>
    /// <returns>[batch, time, heads · headSize].</returns>
    public abstract string Attend(int layer, string at, (string Q, string K, string V) qkv);
}

/// <summary>
/// SimplifiedLayerNormalization and GroupQueryAttention, which keeps the cache, turns queries and keys by their rotary angles and derives
/// positions from the sequence lengths.
/// </summary>
internal sealed class RuntimeOperators : DecoderOperators
{
    private readonly GraphAssembly graph;
    private readonly DecoderArchitecture a;
    private readonly WeightFormat format;

    /// <exception cref="InvalidDataException">GroupQueryAttention cannot compute this architecture.</exception>
    public RuntimeOperators(GraphAssembly graph, DecoderArchitecture a, WeightFormat format)
    {
        (this.graph, this.a, this.format) = (graph, a, format);
        if (a.HeadSize % 16 != 0)
            throw new InvalidDataException(
                $"head_dim {a.HeadSize} cannot be exported: ONNX Runtime's rotary GroupQueryAttention needs a multiple of 16.");
        SequenceLengths.Add(graph);
        if (a.PlainLayers.Count < a.Layers) RotaryCaches.Add(graph, a, format.Attention);
    }

    public override bool TakesPacked => true;

    // The operator lives in the standard domain of ONNX Runtime, though not in the standard.
    public override string Norm(string input, string output, string weight) =>
        graph.Add("SimplifiedLayerNormalization", output, [input, weight], OnnxAttribute.Of("axis", -1),
            OnnxAttribute.Of("epsilon", (float)a.RmsNormEpsilon), OnnxAttribute.Of("stash_type", 1));

    public override (string Normed, string Residual) NormOfSum(
        string residual, string branch, string name, string weight, bool last = false)
    {
        string normed = name + ".normed", sum = name + ".residual";
        string[] outputs = last ? [normed] : [normed, "", "", sum];
        graph.AddMicrosoft("SkipSimplifiedLayerNormalization", outputs, [residual, branch, weight],
            OnnxAttribute.Of("epsilon", (float)a.RmsNormEpsilon));
        return (normed, sum);
    }

    public override string Attend(int layer, string at, (string Q, string K, string V) qkv)
    {
        bool narrow = format.Attention != format.Flow;
        if (narrow) qkv = (Narrowed(qkv.Q), Narrowed(qkv.K), Narrowed(qkv.V));
        string output = $"{at}.attended", attended = narrow ? output + ".narrow" : output;
        string[] caches = a.IsRotary(layer) ? [RotaryCaches.Cosine, RotaryCaches.Sine] : [];
        graph.AddMicrosoft(
            "GroupQueryAttention",
            [attended, DecoderValues.PresentKey(layer), DecoderValues.PresentValue(layer)],
            [qkv.Q, qkv.K, qkv.V, DecoderValues.PastKey(layer), DecoderValues.PastValue(layer),
                SequenceLengths.LastPosition, SequenceLengths.Total, .. caches],
            [.. Attributes(layer)]);
        return narrow ? graph.Add("Cast", output, [attended], OnnxAttribute.Of("to", (long)format.Flow)) : output;
    }

    // What is left out (keys and values beside packed queries) has no type either.
    private string Narrowed(string value) =>
        value.Length == 0 ? value : graph.Add("Cast", value + ".narrow", [value], OnnxAttribute.Of("to", (long)format.Attention));

    private IEnumerable<OnnxAttribute> Attributes(int layer)
    {
        yield return OnnxAttribute.Of("num_heads", a.Heads);
        yield return OnnxAttribute.Of("kv_num_heads", a.KeyValueHeads);
        yield return OnnxAttribute.Of("scale", (float)(1 / Math.Sqrt(a.HeadSize)));
        yield return OnnxAttribute.Of("do_rotary", a.IsRotary(layer) ? 1 : 0);
        yield return OnnxAttribute.Of("rotary_interleaved", 0);
        // The cache keeps every position; the window only hides those before it.
        if (a.WindowOf(layer) is { } window) yield return OnnxAttribute.Of("local_window_size", window);
    }
}
