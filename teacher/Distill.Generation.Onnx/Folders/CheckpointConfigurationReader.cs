namespace Distill.Generation.Onnx;

/// <summary>
/// Reads the config.json of a folder without genai_config.json (Optimum, transformers.js): the sizes of a decoder, by the keys
/// of Hugging Face transformers. End tokens are those of generation_config.json, or where it names none those here; a folder may leave them
/// to its tokenizer.
/// </summary>
internal static class CheckpointConfigurationReader
{
    // Deeper than genai_config.json: such files carry whatever a model's authors put in.
    private const int Depth = 64;

    /// <param name="folder">Full path.</param>
    /// <param name="graphFile">Relative to the folder.</param>
    /// <exception cref="InvalidDataException">Names the file, the key, the value and the range.</exception>
    public static GenAIConfiguration Read(string folder, string graphFile)
    {
        string generation = Path.Combine(folder, ModelFolder.GenerationFile);
        Func<int, IReadOnlyList<int>?> endTokens = _ => null;
        if (File.Exists(generation)) endTokens = vocabulary => JsonFile.Read(generation, Depth, root => EndTokens(root, vocabulary));
        return JsonFile.Read(Path.Combine(folder, ModelFolder.CheckpointFile), Depth, root => ReadRoot(root, graphFile, endTokens));
    }

    /// <summary>Reads the text of a config.json alone.</summary>
    /// <inheritdoc cref="Read(string, string)"/>
    public static GenAIConfiguration Read(ReadOnlyMemory<byte> json, string path, string graphFile) =>
        JsonFile.Read(json, path, Depth, root => ReadRoot(root, graphFile, _ => null));

    private static GenAIConfiguration ReadRoot(JsonSection root, string graphFile, Func<int, IReadOnlyList<int>?> endTokens)
    {
        string type = root.Text("model_type");
        if (root.Flag("is_encoder_decoder")) throw root.Fault("is_encoder_decoder", "is true: not a decoder-only model");
        int vocabulary = root.Integer("vocab_size", 1, GenAIConfigurationReader.LargestVocabulary);
        int heads = root.Integer("num_attention_heads", 1, GenAIConfigurationReader.MostHeads);
        return new GenAIConfiguration(
            type,
            graphFile,
            vocabulary,
            root.Integer("max_position_embeddings", 2, GenAIConfigurationReader.LongestContext),
            root.Integer("num_hidden_layers", 1, GenAIConfigurationReader.MostLayers),
            heads,
            root.OptionalInteger("num_key_value_heads", 1, GenAIConfigurationReader.MostHeads) ?? heads,
            HeadSize(root, heads),
            endTokens(vocabulary) ?? EndTokens(root, vocabulary) ?? [],
            Token(root, "bos_token_id", vocabulary),
            Token(root, "pad_token_id", vocabulary),
            null,
            null,
            new GraphNames())
        {
            SourceFile = ModelFolder.CheckpointFile,
        };
    }

    private static int HeadSize(JsonSection root, int heads)
    {
        if (root.OptionalInteger("head_dim", 1, GenAIConfigurationReader.LargestHead) is { } size) return size;
        int hidden = root.Integer("hidden_size", 1, GenAIConfigurationReader.MostHeads * GenAIConfigurationReader.LargestHead);
        return hidden % heads == 0 && hidden / heads <= GenAIConfigurationReader.LargestHead
            ? hidden / heads
            : throw root.Fault(
                "hidden_size",
                $"must be num_attention_heads ({heads}) × 1..{GenAIConfigurationReader.LargestHead}, or head_dim be given, not {hidden}");
    }

    private static IReadOnlyList<int>? EndTokens(JsonSection root, int vocabulary) =>
        root.Has("eos_token_id") ? root.Integers("eos_token_id", 0, vocabulary - 1) : null;

    /// <summary>−1 is how some configurations write "none".</summary>
    private static int? Token(JsonSection root, string key, int vocabulary) =>
        root.OptionalInteger(key, -1, vocabulary - 1) is int id and >= 0 ? id : null;
}
