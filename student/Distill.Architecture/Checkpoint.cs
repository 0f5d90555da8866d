namespace Distill.Architecture;

/// <summary>
/// A folder with a model that can be trained: config.json, safetensors, tokenizer. Opening reads the configuration and checks
/// that the parts fit each other; the weights are read by <see cref="LoadWeights"/>. Immutable and safe to share.
/// </summary>
public sealed class Checkpoint
{
    public const string GenerationConfigName = DecoderConfigJson.GenerationFileName;

    private Checkpoint(string folder, DecoderArchitecture architecture, TokenizerFiles? tokenizer, IReadOnlyList<string> warnings)
    {
        Folder = folder;
        Architecture = architecture;
        Tokenizer = tokenizer;
        Warnings = warnings;
    }

    public string Folder { get; }

    public DecoderArchitecture Architecture { get; }

    /// <summary>Null when the folder has no tokenizer.json.</summary>
    public TokenizerFiles? Tokenizer { get; }

    /// <summary>Where the files contradict one another, what was taken: sentences for whoever chose the folder; usually none.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <exception cref="InvalidDataException">
    /// Not a checkpoint, a corrupt or unsupported file, or a tokenizer that does not fit: named, with the reason.
    /// </exception>
    public static Checkpoint Open(string folder)
    {
        if (!Directory.Exists(folder)) throw new InvalidDataException($"'{folder}' is not a folder.");
        string config = FolderFile.Find(folder, DecoderConfigJson.FileName)
            ?? throw new InvalidDataException($"'{folder}' is not a checkpoint: it has no {DecoderConfigJson.FileName}.");
        var architecture = DecoderConfigJson.Read(config);
        var warnings = new List<string>();
        using (var files = SafeTensorsFolder.Open(folder))
        {
            if (files.Choice is { } choice) warnings.Add(choice);
            if (architecture.TieEmbeddings && HasOwnHead(files))
            {
                architecture = architecture with { TieEmbeddings = false };
                warnings.Add(
                    $"'{folder}': config.json says tie_word_embeddings, and the weights hold another {ParameterMap.OutputProjection} "
                    + $"than the embedding. "
                    + "Both are kept, untied; set tie_word_embeddings to false to say so, or remove the weight.");
            }

            CheckShapes(files, architecture);
        }

        var tokenizer = TokenizerFiles.Exist(folder) ? TokenizerFiles.Read(folder) : null;
        tokenizer?.RequireFits(Path.Combine(folder, TokenizerFiles.TokenizerName), architecture.VocabularySize);
        return new(folder, architecture, tokenizer, warnings);
    }

    /// <summary>All weights as fp32; bf16 and fp16 are widened exactly. Each call reads the files again.</summary>
    /// <exception cref="InvalidDataException">A weight is missing, surplus or misshapen.</exception>
    public WeightSet LoadWeights()
    {
        using var files = SafeTensorsFolder.Open(Folder);
        CheckShapes(files, Architecture);
        return new(Architecture, ParameterMap.For(Architecture).ToDictionary(p => p.Name, p => files.FileOf(p.Name).ReadSingles(p.Name)));
    }

    /// <summary>The same weights, each read when it is asked for: for what goes through a model tensor by tensor.</summary>
    /// <inheritdoc cref="LoadWeights"/>
    internal CheckpointWeights OpenWeights()
    {
        var files = SafeTensorsFolder.Open(Folder);
        try
        {
            CheckShapes(files, Architecture);
            return new(files, Architecture);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Writes a checkpoint into a folder, created if needed. config.json comes last, so that an interrupted folder is not mistaken
    /// for a checkpoint. The same weights and tokenizer give the same bytes. Not atomic: stages write to a fresh folder and commit it.
    /// </summary>
    /// <param name="storage">Element type and size of the files; null: fp32, in one file up to 5 GB.</param>
    /// <exception cref="InvalidDataException">
    /// The tokenizer does not fit the weights, or a weight is too large for the stored type.
    /// </exception>
    public static void Save(string folder, WeightSet weights, TokenizerFiles? tokenizer, CheckpointStorage? storage = null) =>
        Save(folder, weights, weights.Architecture, tokenizer, CompanionFiles.None, storage ?? CheckpointStorage.Default);

    /// <param name="architecture">The weights', perhaps with other ids of tokens, as the configuration files name them.</param>
    /// <param name="companions">What else goes along.</param>
    /// <inheritdoc cref="Save(string, WeightSet, TokenizerFiles?, CheckpointStorage?)"/>
    internal static void Save(
        string folder, WeightSet weights, DecoderArchitecture architecture, TokenizerFiles? tokenizer, CompanionFiles companions,
        CheckpointStorage storage)
    {
        byte[] config = DecoderConfigJson.Write(architecture, storage.Type);
        tokenizer?.RequireFits(TokenizerFiles.TokenizerName, architecture.VocabularySize);
        Directory.CreateDirectory(folder);
        File.Delete(Path.Combine(folder, DecoderConfigJson.FileName));
        var tensors = ParameterMap.For(architecture).Select(p => SafeTensor.Rounded(p.Name, p.Shape, () => weights[p.Name], storage.Type));
        SafeTensorsShards.Write(folder, tensors, storage.MaxShardBytes);
        tokenizer?.Write(folder);
        companions.Write(folder, architecture);
        DurableFile.Write(Path.Combine(folder, DecoderConfigJson.FileName), config);
    }

    /// <summary>Saves with the tokenizer files of another model folder.</summary>
    public static void Save(string folder, WeightSet weights, string tokenizerFolder, CheckpointStorage? storage = null) =>
        Save(folder, weights, TokenizerFiles.Read(tokenizerFolder), storage);

    private static void CheckShapes(SafeTensorsFolder files, DecoderArchitecture architecture)
    {
        var map = ParameterMap.For(architecture);
        foreach (var parameter in map)
        {
            var file = files.FileOf(parameter.Name);
            var entry = file.Entry(parameter.Name);
            string asked = "[" + string.Join(", ", parameter.Shape) + "]";
            if (!entry.Shape.SequenceEqual(parameter.Shape))
                throw new InvalidDataException(
                    $"'{file.File}' holds '{parameter.Name}' with shape {entry.ShapeText}; config.json asks for {asked}.");
        }

        var surplus = files.Names.Except(map.Select(p => p.Name)).Where(name => !IsRedundant(name, architecture))
            .Order(StringComparer.Ordinal).Take(5).ToList();
        if (surplus.Count > 0)
            throw new InvalidDataException(
                $"'{files.FileOf(surplus[0]).File}' holds weights that config.json has no place for: {string.Join(", ", surplus)}.");
    }

    // A tied head may be stored once more; one that is not the embedding is a weight of its own.
    private static bool HasOwnHead(SafeTensorsFolder files)
    {
        if (!files.Contains(ParameterMap.OutputProjection) || !files.Contains(ParameterMap.Embedding)) return false;
        var (head, embedding) = (files.FileOf(ParameterMap.OutputProjection), files.FileOf(ParameterMap.Embedding));
        return !head.HoldsSame(ParameterMap.OutputProjection, embedding, ParameterMap.Embedding);
    }

    // Older files repeat a tied head and store the rotary frequencies, which follow from the configuration.
    private static bool IsRedundant(string name, DecoderArchitecture architecture) =>
        (architecture.TieEmbeddings && name == ParameterMap.OutputProjection)
        || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);
}

/// <summary>How the weights of a checkpoint are stored. Immutable.</summary>
/// <param name="Type">F32, BF16 or F16; rounded to nearest, ties to even.</param>
/// <param name="MaxShardBytes">Tensor bytes of one file; a larger tensor gets a file of its own. More than one file makes an index.</param>
public sealed record CheckpointStorage(SafeTensorType Type = SafeTensorType.Float32, long MaxShardBytes = 5_000_000_000)
{
    public static CheckpointStorage Default { get; } = new();
}

/// <summary>
/// The weights of a checkpoint, its files open: a tensor is read and widened when it is asked for. The opener disposes it, after which the
/// weights cannot be read any more.
/// </summary>
internal sealed class CheckpointWeights : IDisposable
{
    private readonly SafeTensorsFolder files;

    internal CheckpointWeights(SafeTensorsFolder files, DecoderArchitecture architecture)
    {
        this.files = files;
        Weights = WeightSet.Streamed(architecture, spec => files.FileOf(spec.Name).ReadSingles(spec.Name));
    }

    public WeightSet Weights { get; }

    public void Dispose() => files.Dispose();
}
