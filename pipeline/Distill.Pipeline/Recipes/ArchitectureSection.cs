using Distill.Architecture;
using Distill.Tokenization;

namespace Distill.Pipeline.Recipes;

/// <summary><c>architecture</c>: the shape of a Qwen3-style decoder with tied embeddings. Defaults: the student of the quickstart.</summary>
public sealed record ArchitectureSection
{
    /// <summary>Width of the residual stream. 8..65,536, default 96.</summary>
    public int HiddenSize { get; init; }

    /// <summary>1..512, default 4.</summary>
    public int Layers { get; init; }

    /// <summary>Query heads. 1..512, default 3.</summary>
    public int Heads { get; init; }

    /// <summary>Key and value heads; divides <see cref="Heads"/>. Default 1.</summary>
    public int KeyValueHeads { get; init; }

    /// <summary>Even. 2..1,024, default 32.</summary>
    public int HeadSize { get; init; }

    /// <summary>Width of the SwiGLU feed-forward. 8..262,144, default 256.</summary>
    public int IntermediateSize { get; init; }

    /// <summary>Longest sequence. 16..1,048,576, default 512.</summary>
    public int MaxPositions { get; init; }

    /// <summary>Base of the rotary frequencies. 1..1e9, default 10,000.</summary>
    public double RopeTheta { get; init; }

    internal static ArchitectureSection Bind(SectionReader reader)
    {
        var section = new ArchitectureSection
        {
            HiddenSize = reader.Integer("hidden_size", 96, 8, 65_536),
            Layers = reader.Integer("layers", 4, 1, 512),
            Heads = reader.Integer("heads", 3, 1, 512),
            KeyValueHeads = reader.Integer("key_value_heads", 1, 1, 512),
            HeadSize = reader.Integer("head_size", 32, 2, 1024),
            IntermediateSize = reader.Integer("intermediate_size", 256, 8, 262_144),
            MaxPositions = reader.Integer("max_positions", 512, 16, 1 << 20),
            RopeTheta = reader.Number("rope_theta", 10_000, 1, 1e9),
        };
        reader.Require(section.Heads % section.KeyValueHeads == 0, "key_value_heads", $"does not divide {section.Heads} heads", "choose a divisor of heads");
        reader.Require(section.HeadSize % 2 == 0, "head_size", "odd", "rotary positions need an even head size");
        reader.Close();
        return section;
    }

    internal DecoderArchitecture ToDecoder(ChatEncoder encoder) => new()
    {
        ModelType = "qwen3",
        VocabularySize = encoder.Tokenizer.VocabularySize,
        HiddenSize = HiddenSize,
        Layers = Layers,
        Heads = Heads,
        KeyValueHeads = KeyValueHeads,
        HeadSize = HeadSize,
        IntermediateSize = IntermediateSize,
        MaxPositions = MaxPositions,
        RopeTheta = RopeTheta,
        EosTokenId = encoder.EndToken,
        PadTokenId = encoder.Tokenizer.PadToken,
    };
}
