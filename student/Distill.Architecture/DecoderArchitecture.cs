using System.Collections;

namespace Distill.Architecture;

/// <summary>
/// The shape of a Llama-style decoder: everything a TorchSharp module and an ONNX graph writer must agree on.
/// Immutable; <see cref="Validate"/> runs where it is read from a file and where a model is built.
/// </summary>
public sealed record DecoderArchitecture
{
    internal const int MaxLayers = 1024;

    /// <summary>Hugging Face model type: <c>qwen3</c>, <c>llama</c>, …</summary>
    public required string ModelType { get; init; }

    public required int VocabularySize { get; init; }

    public required int HiddenSize { get; init; }

    public required int Layers { get; init; }

    public required int Heads { get; init; }

    public required int KeyValueHeads { get; init; }

    public required int HeadSize { get; init; }

    /// <summary>Width of the SwiGLU feed-forward.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Positions the rotary tables cover; the longest sequence the model can read.</summary>
    public required int MaxPositions { get; init; }

    public double RopeTheta { get; init; } = 10_000;

    public double RmsNormEpsilon { get; init; } = 1e-6;

    /// <summary>The output projection is the embedding matrix.</summary>
    public bool TieEmbeddings { get; init; } = true;

    /// <summary>RMS norm over each head of queries and keys before the rotary embedding (Qwen3).</summary>
    public bool QueryKeyNorm { get; init; } = true;

    /// <summary>Bias on the query, key and value projections (always in Qwen2).</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Bias on the projection that leaves attention.</summary>
    public bool AttentionOutputBias { get; init; }

    /// <summary>Bias on all three projections of the feed-forward.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>How the rotary frequencies are scaled.</summary>
    public RotaryScaling RotaryScaling { get; init; } = DefaultRotary.Instance;

    /// <summary>Layers without rotary embedding (SmolLM3).</summary>
    public LayerSet PlainLayers { get; init; } = LayerSet.None;

    /// <summary>What a position of a <see cref="WindowLayers"/> layer sees: itself and the positions before it, so many in all.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Layers with the sliding window; the others see everything before a position.</summary>
    public LayerSet WindowLayers { get; init; } = LayerSet.None;

    public int? BosTokenId { get; init; }

    /// <summary>The main end token: the first of <see cref="EndTokenIds"/>.</summary>
    public int EosTokenId
    {
        get => EndTokenIds[0];
        init => EndTokenIds = new TokenIdList([value]);
    }

    /// <summary>Every token that ends a reply, the main one first.</summary>
    public TokenIdList EndTokenIds { get; init; } = new([0]);

    public int? PadTokenId { get; init; }

    /// <exception cref="InvalidDataException">Names every impossible value at once.</exception>
    public void Validate()
    {
        var problems = new List<string>();
        void Require(bool ok, string problem)
        {
            if (!ok) problems.Add(problem);
        }

        Require(VocabularySize is > 0 and <= 10_000_000, $"vocab_size {VocabularySize} must be in 1..10,000,000");
        Require(HiddenSize is > 0 and <= 1 << 17, $"hidden_size {HiddenSize} must be in 1..131,072");
        Require(Layers is > 0 and <= MaxLayers, $"num_hidden_layers {Layers} must be in 1..1,024");
        Require(Heads is > 0 and <= 1024, $"num_attention_heads {Heads} must be in 1..1,024");
        Require(KeyValueHeads > 0
            && Heads % KeyValueHeads == 0, $"num_key_value_heads {KeyValueHeads} must divide num_attention_heads {Heads}");
        Require(HeadSize is > 0 and <= 1024 && HeadSize % 2 == 0, $"head_dim {HeadSize} must be even and in 2..1,024");
        Require(IntermediateSize is > 0 and <= 1 << 20, $"intermediate_size {IntermediateSize} must be in 1..1,048,576");
        Require(MaxPositions is > 0 and <= 1 << 24, $"max_position_embeddings {MaxPositions} must be in 1..16,777,216");
        Require(RopeTheta > 0 && double.IsFinite(RopeTheta), $"rope_theta {RopeTheta} must be positive");
        Require(RmsNormEpsilon is > 0 and < 1, $"rms_norm_eps {RmsNormEpsilon} must be in (0, 1)");
        Require(SlidingWindow is null or > 0, $"sliding_window {SlidingWindow} must be positive");
        Require(SlidingWindow is not null == WindowLayers.Count > 0,
            $"sliding_window {SlidingWindow?.ToString() ?? "null"} does not fit the layers that slide: {WindowLayers}");
        Require(WindowLayers.Layers.Concat(PlainLayers.Layers).All(layer => layer >= 0 && layer < Layers),
            $"layers beyond the {Layers} there are: sliding {WindowLayers}, without rotary {PlainLayers}");
        problems.AddRange(RotaryScaling.Problems());
        foreach (int id in EndTokenIds)
            Require(id >= 0 && id < VocabularySize, $"eos_token_id {id} must be in 0..{VocabularySize - 1}");
        if (problems.Count > 0) throw new InvalidDataException("Impossible decoder configuration: " + string.Join("; ", problems) + ".");
    }

    /// <summary>Positions that a query of a layer sees, itself included; null: all before it.</summary>
    public int? WindowOf(int layer) => WindowLayers.Contains(layer) ? SlidingWindow : null;

    /// <summary>Whether a layer turns queries and keys by their positions.</summary>
    public bool IsRotary(int layer) => !PlainLayers.Contains(layer);

    /// <summary>Number of trainable values; tied embeddings counted once.</summary>
    public long ParameterCount => ParameterMap.For(this).Sum(parameter => parameter.Count);
}

/// <summary>Which layers of a decoder have a property, compared by content so that architectures are. Immutable, thread-safe.</summary>
public sealed class LayerSet : IEquatable<LayerSet>
{
    private readonly int[] layers; // ascending, each once

    /// <param name="layers">Indices from 0, in any order.</param>
    public LayerSet(IEnumerable<int> layers) => this.layers = [.. layers.Distinct().Order()];

    public static LayerSet None { get; } = new([]);

    public int Count => layers.Length;

    /// <summary>Ascending.</summary>
    public IReadOnlyList<int> Layers => layers;

    /// <summary>All layers of a decoder from <paramref name="first"/> on.</summary>
    public static LayerSet From(int first, int layers) => Where(layers, layer => layer >= first);

    /// <summary>The layers of a decoder of <paramref name="layers"/> layers that fulfil a condition.</summary>
    public static LayerSet Where(int layers, Func<int, bool> has) => new(Enumerable.Range(0, Math.Max(0, layers)).Where(has));

    public bool Contains(int layer) => Array.BinarySearch(layers, layer) >= 0;

    public bool Equals(LayerSet? other) => other is not null && layers.AsSpan().SequenceEqual(other.layers);

    public override bool Equals(object? obj) => Equals(obj as LayerSet);

    public override int GetHashCode() => layers.Aggregate(layers.Length, HashCode.Combine);

    public override string ToString() => layers.Length == 0 ? "none" : string.Join(", ", layers);
}

/// <summary>Token ids in a given order, each once, compared by content. At least one. Immutable, thread-safe.</summary>
public sealed class TokenIdList : IReadOnlyList<int>, IEquatable<TokenIdList>
{
    private readonly int[] ids;

    /// <exception cref="ArgumentException">There are none.</exception>
    public TokenIdList(IEnumerable<int> ids)
    {
        this.ids = [.. ids.Distinct()];
        if (this.ids.Length == 0) throw new ArgumentException("A list of token ids needs at least one.", nameof(ids));
    }

    public int Count => ids.Length;

    public int this[int index] => ids[index];

    public IEnumerator<int> GetEnumerator() => ids.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => ids.GetEnumerator();

    public bool Equals(TokenIdList? other) => other is not null && ids.AsSpan().SequenceEqual(other.ids);

    public override bool Equals(object? obj) => Equals(obj as TokenIdList);

    public override int GetHashCode() => ids.Aggregate(ids.Length, HashCode.Combine);

    public override string ToString() => string.Join(", ", ids);
}
