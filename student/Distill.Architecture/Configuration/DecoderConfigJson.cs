using System.Text.Json;

namespace Distill.Architecture;

/// <summary>
/// Hugging Face <c>config.json</c> ↔ <see cref="DecoderArchitecture"/>, in the spelling of published models (<c>rope_theta</c>,
/// <c>rope_scaling</c>) and of transformers 5 (<c>rope_parameters</c>, <c>layer_types</c>). What this project does not
/// implement is refused by name, never ignored: a model read here computes what its authors meant.
/// </summary>
public static class DecoderConfigJson
{
    public const string FileName = "config.json";
    public const string GenerationFileName = "generation_config.json";
    private const string EndTokens = "eos_token_id";
    private const long MaxBytes = 1 << 20;

    /// <summary>
    /// Reads config.json and, where it lies beside, generation_config.json: the end tokens of the latter win, as in transformers.
    /// </summary>
    /// <exception cref="InvalidDataException">Names the file and every problem in it.</exception>
    public static DecoderArchitecture Read(string path)
    {
        using var document = BoundedJson.Read(path, MaxBytes);
        return Read(document.RootElement, path, GenerationEndTokens(Path.GetDirectoryName(Path.GetFullPath(path))!));
    }

    /// <summary>Reads a config.json alone.</summary>
    /// <inheritdoc cref="Read(string)"/>
    public static DecoderArchitecture Parse(ReadOnlyMemory<byte> utf8, string file)
    {
        using var document = BoundedJson.Parse(utf8, file);
        return Read(document.RootElement, file, []);
    }

    /// <summary>The same architecture gives the same bytes.</summary>
    /// <param name="storedAs">Element type of the weights beside it, which the file names.</param>
    /// <exception cref="InvalidDataException">The model type cannot have this combination of norms, biases and layers.</exception>
    public static byte[] Write(DecoderArchitecture architecture, SafeTensorType storedAs = SafeTensorType.Float32)
    {
        architecture.Validate();
        var family = DecoderFamily.Find(architecture.ModelType)
            ?? throw new InvalidDataException($"No config.json can describe model type '{architecture.ModelType}'.");
        return family.Contradiction(architecture) is { } contradiction
            ? throw new InvalidDataException($"No config.json can describe model type '{architecture.ModelType}' with {contradiction}.")
            : DecoderConfigWriter.Write(architecture, family, storedAs);
    }

    /// <summary>generation_config.json: the ids that begin, end and pad.</summary>
    public static byte[] WriteGeneration(DecoderArchitecture architecture) =>
        DecoderConfigWriter.WriteGeneration(architecture, GenerationDefaults.None);

    private static IReadOnlyList<int> GenerationEndTokens(string folder)
    {
        if (FolderFile.Find(folder, GenerationFileName) is not { } path) return [];
        using var document = BoundedJson.Read(path, MaxBytes);
        var fields = new ConfigFields(document.RootElement);
        var ids = fields.TokenIds(EndTokens);
        return fields.Problems.Count == 0 ? ids : throw new InvalidDataException($"'{path}': {string.Join("; ", fields.Problems)}.");
    }

    /// <param name="endTokens">That another file names; empty: those of this one.</param>
    private static DecoderArchitecture Read(JsonElement root, string file, IReadOnlyList<int> endTokens)
    {
        var fields = new ConfigFields(root);
        string? modelType = fields.OptionalString("model_type");
        var family = DecoderFamily.Find(modelType)
            ?? throw new InvalidDataException(
                $"'{file}': model_type '{modelType}' is not supported; supported are "
                + $"{string.Join(", ", DecoderFamily.All.Select(each => each.ModelType))}.");
        if (endTokens.Count == 0) endTokens = fields.TokenIds(EndTokens);
        fields.Require(endTokens.Count > 0 || fields.Problems.Count > 0, $"{EndTokens} is missing here and in {GenerationFileName}");
        var architecture = Shape(fields, family) with { EndTokenIds = new TokenIdList(endTokens.DefaultIfEmpty(0)) };
        UnsupportedFeatures.Check(fields, family);
        if (fields.Problems.Count > 0) throw new InvalidDataException($"'{file}': {string.Join("; ", fields.Problems.Distinct())}.");
        try
        {
            architecture.Validate();
        }
        catch (InvalidDataException impossible)
        {
            throw new InvalidDataException($"'{file}': {impossible.Message}", impossible);
        }

        return architecture;
    }

    private static DecoderArchitecture Shape(ConfigFields fields, DecoderFamily family)
    {
        int heads = fields.RequiredInt("num_attention_heads");
        int hidden = fields.RequiredInt("hidden_size");
        int layers = fields.RequiredInt("num_hidden_layers");
        bool bias = fields.OptionalBool("attention_bias") is true && family.MayAttentionBias;
        var (theta, scaling) = RotaryFields.Read(fields, family);
        int listed = Math.Clamp(layers, 0, DecoderArchitecture.MaxLayers); // a number that is refused below must not cost memory here
        var plain = LayerFields.Plain(fields, family, listed);
        var (window, sliding) = LayerFields.Windows(fields, family, plain, listed);
        if (heads <= 0) fields.Problems.Add($"num_attention_heads {heads} must be positive");
        return new DecoderArchitecture
        {
            ModelType = family.ModelType,
            VocabularySize = fields.RequiredInt("vocab_size"),
            HiddenSize = hidden,
            Layers = layers,
            Heads = heads,
            KeyValueHeads = family.ModelType == "llama" ? fields.OptionalInt("num_key_value_heads") ?? heads
            : fields.RequiredInt("num_key_value_heads"),
            HeadSize = fields.OptionalInt("head_dim") ?? family.HeadSize ?? (heads > 0 ? hidden / heads : 0),
            IntermediateSize = fields.RequiredInt("intermediate_size"),
            MaxPositions = fields.RequiredInt("max_position_embeddings"),
            RopeTheta = theta,
            RotaryScaling = scaling,
            RmsNormEpsilon = fields.OptionalDouble("rms_norm_eps") ?? 1e-6,
            TieEmbeddings = fields.OptionalBool("tie_word_embeddings") ?? family.TieEmbeddings,
            QueryKeyNorm = family.QueryKeyNorm,
            AttentionBias = family.AlwaysAttentionBias || bias,
            AttentionOutputBias = bias,
            FeedForwardBias = fields.OptionalBool("mlp_bias") is true,
            PlainLayers = plain,
            SlidingWindow = window,
            WindowLayers = sliding,
            BosTokenId = fields.OptionalTokenId("bos_token_id"),
            PadTokenId = fields.OptionalTokenId("pad_token_id"),
        };
    }
}

/// <summary>
/// Names what else in a configuration would change the computation and is not implemented; readers of single parts name theirs.
/// </summary>
internal static class UnsupportedFeatures
{
    public static void Check(ConfigFields fields, DecoderFamily family)
    {
        string activation = fields.OptionalString("hidden_act") ?? "silu";
        fields.Require(activation is "silu" or "swish", $"hidden_act '{activation}' is not supported, only silu");
        fields.Require(family.AlwaysAttentionBias || family.MayAttentionBias || fields.OptionalBool("attention_bias") is not true,
            $"attention_bias true is not supported in model_type '{family.ModelType}'");
        fields.Require(
            family.MayFeedForwardBias
            || fields.OptionalBool("mlp_bias") is not true, $"mlp_bias true is not supported in model_type '{family.ModelType}'");
        fields.Require(!fields.Has("quantization_config"), "quantized weights (quantization_config) are not supported");
    }
}
