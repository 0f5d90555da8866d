using Distill.Storage;
using Distill.Tokenization;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// A folder with an ONNX decoder, checked before anything native sees it: configuration in range, every path inside the
/// folder, external data present and whole. Three layouts: ONNX Runtime GenAI (genai_config.json), Optimum (config.json and
/// model.onnx) and transformers.js (config.json and onnx/). Holds no handles; safe for concurrent use.
/// </summary>
public sealed class ModelFolder
{
    /// <summary>Decides where it is present.</summary>
    public const string ConfigurationFile = "genai_config.json";

    /// <summary>Describes a folder without <see cref="ConfigurationFile"/>.</summary>
    public const string CheckpointFile = "config.json";

    internal const string GenerationFile = "generation_config.json";

    // What a checkpoint of trainable weights has; reference values and the like go by other names.
    private static readonly string[] s_weights = ["model.safetensors", "model.safetensors.index.json"];

    private readonly GraphFacts facts;

    private ModelFolder(string path, GenAIConfiguration configuration, string graphPath)
    {
        Path = path;
        Configuration = configuration;
        GraphPath = graphPath;
        facts = GraphWalk.Read(graphPath);
    }

    public string Path { get; }

    internal GenAIConfiguration Configuration { get; }

    /// <summary>Full path of the ONNX file.</summary>
    public string GraphPath { get; }

    internal GraphFacts Facts => facts;

    /// <summary>
    /// Whether a folder says of itself, by the files it has, that it is an ONNX model rather than a checkpoint; whether it is sound shows
    /// when it is opened.
    /// </summary>
    public static bool Announces(string path) => Directory.Exists(path)
        && (File.Exists(System.IO.Path.Combine(path, ConfigurationFile))
            || (File.Exists(System.IO.Path.Combine(path, CheckpointFile))
                && !s_weights.Any(name => File.Exists(System.IO.Path.Combine(path, name)))
                && GraphFiles.In(path).Count > 0));

    /// <param name="path">Of the folder.</param>
    /// <param name="graphFile">
    /// ONNX file relative to the folder, with slashes, e.g. <c>onnx/model_q4.onnx</c>; null for the configuration's or the usual one.
    /// </param>
    /// <exception cref="InvalidDataException">Names the file and what is wrong with it.</exception>
    public static ModelFolder Open(string path, string? graphFile = null)
    {
        string root = System.IO.Path.GetFullPath(path);
        if (!Directory.Exists(root)) throw new InvalidDataException($"{root} is not a folder.");
        var configuration = ReadConfiguration(root, graphFile);
        string saidBy = graphFile is null ? $"{root}: {configuration.SourceFile}, name of the graph" : $"{root}: name given for the graph";
        return new ModelFolder(root, configuration, ContainedPath.Resolve(root, configuration.GraphFile, saidBy));
    }

    /// <summary>What a session over this model will take, known without loading it.</summary>
    /// <param name="slots">At least 1.</param>
    /// <param name="maxLength">Tokens per slot, at least 2.</param>
    /// <exception cref="InvalidDataException">The graph has no cache or logits of a known element type.</exception>
    public SessionMemory MemoryOf(int slots, int maxLength) => CacheLayout.Of(
        Configuration,
        TypeOf(GraphNames.Of(Configuration.Names.PastKey, 0)),
        TypeOf(Configuration.Names.Logits),
        grows: !facts.SharesCache).MemoryOf(slots, maxLength);

    /// <summary>Reads tokenizer.json and tokenizer_config.json.</summary>
    /// <exception cref="InvalidDataException">
    /// A file is missing or broken, or the tokenizer has ids that the model does not know.
    /// </exception>
    public Tokenizer LoadTokenizer() => Checked(Tokenizer.Load(Path));

    /// <summary>
    /// Reads the tokenizer, the chat template if there is one, and every token that ends a reply, of whichever file names it.
    /// </summary>
    /// <inheritdoc cref="LoadTokenizer"/>
    public ChatEncoder LoadEncoder()
    {
        var encoder = ChatEncoder.Load(Path);
        Checked(encoder.Tokenizer);
        return Configuration.EosTokenIds.All(encoder.EndTokens.Contains)
            ? encoder
            : new ChatEncoder(encoder.Tokenizer, encoder.HasTemplate ? encoder.Template : null, encoder.Style,
                [.. encoder.EndTokens, .. Configuration.EosTokenIds]);
    }

    private static GenAIConfiguration ReadConfiguration(string root, string? graphFile)
    {
        string path = System.IO.Path.Combine(root, ConfigurationFile);
        if (File.Exists(path))
        {
            var configuration = GenAIConfiguration.Load(path);
            return graphFile is null ? configuration : configuration with { GraphFile = graphFile };
        }

        return File.Exists(System.IO.Path.Combine(root, CheckpointFile))
            ? CheckpointConfigurationReader.Read(root, graphFile ?? GraphFiles.Choose(root))
            : throw new InvalidDataException(
                $"{root} is not a model folder: it has neither {ConfigurationFile} nor {CheckpointFile} with an ONNX file.");
    }

    private TensorElementType TypeOf(string value) =>
        facts.FloatTypeOf(value) ?? throw new InvalidDataException(
            Printable.Of($"{GraphPath} has no '{value}' of float or float16."));

    private Tokenizer Checked(Tokenizer tokenizer) => tokenizer.VocabularySize <= Configuration.VocabularySize
        ? tokenizer
        : throw new InvalidDataException(
            $"{Path}: tokenizer.json has {tokenizer.VocabularySize} ids but {Configuration.SourceFile} gives the model "
                + $"{Configuration.VocabularySize}.");
}

/// <summary>
/// Finds the ONNX file of a folder whose configuration names none: in the folder itself (Optimum) or in onnx/ (transformers.js).
/// </summary>
internal static class GraphFiles
{
    private const string Extension = ".onnx";
    private const string Usual = "model.onnx";
    private const string Inner = "onnx";

    /// <returns>Paths relative to the folder, with slashes, in order.</returns>
    public static IReadOnlyList<string> In(string folder)
    {
        string inner = Path.Combine(folder, Inner);
        return [.. Names(folder), .. Directory.Exists(inner) ? Names(inner).Select(name => $"{Inner}/{name}") : []];
    }

    /// <returns>The usual file, or the only one; relative to the folder.</returns>
    /// <exception cref="InvalidDataException">There is none, or there are several to choose from.</exception>
    public static string Choose(string folder) => Choose(folder, In(folder));

    /// <summary>Those of a folder's files, however they are listed, that <see cref="In"/> would find.</summary>
    public static IReadOnlyList<string> Among(IEnumerable<string> files) =>
        [.. files.Where(name => name.EndsWith(Extension, StringComparison.Ordinal) && Path.GetDirectoryName(name) is "" or Inner)];

    /// <param name="folder">For messages.</param>
    /// <inheritdoc cref="Choose(string)"/>
    public static string Choose(string folder, IReadOnlyList<string> files)
    {
        foreach (string usual in (string[])[Usual, $"{Inner}/{Usual}"])
        {
            if (files.Contains(usual)) return usual;
        }

        return files.Count switch
        {
            1 => files[0],
            0 => throw new InvalidDataException(
                $"{folder} is not a model folder: it has no ONNX file, neither {Usual} nor {Inner}/{Usual}."),
            _ => throw new InvalidDataException(
                Printable.Of($"{folder} has several ONNX files and no {Usual}: name one of {string.Join(", ", files.Take(10))}.")),
        };
    }

    private static IEnumerable<string> Names(string folder) =>
        Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path))
            .Where(name => name.EndsWith(Extension, StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
