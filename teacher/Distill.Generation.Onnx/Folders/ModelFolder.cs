using Distill.Tokenization;

namespace Distill.Generation.Onnx;

/// <summary>
/// A model folder in the layout of ONNX Runtime GenAI, checked before anything native sees it: configuration in range, every
/// path inside the folder, external data present and whole. Holds no handles; safe for concurrent use.
/// </summary>
public sealed class ModelFolder
{
    public const string ConfigurationFile = "genai_config.json";

    private ModelFolder(string path, GenAIConfiguration configuration, string graphPath)
    {
        Path = path;
        Configuration = configuration;
        GraphPath = graphPath;
    }

    public string Path { get; }

    public GenAIConfiguration Configuration { get; }

    /// <summary>Full path of the ONNX file.</summary>
    public string GraphPath { get; }

    /// <exception cref="InvalidDataException">Names the file and what is wrong with it.</exception>
    public static ModelFolder Open(string path)
    {
        string root = System.IO.Path.GetFullPath(path);
        if (!Directory.Exists(root)) throw new InvalidDataException($"{root} is not a folder.");
        string configurationPath = System.IO.Path.Combine(root, ConfigurationFile);
        if (!File.Exists(configurationPath))
            throw new InvalidDataException($"{root} is not a model folder: it has no {ConfigurationFile}.");
        var configuration = GenAIConfiguration.Load(configurationPath);
        string graph = FolderPaths.Resolve(root, configuration.GraphFile, $"{configurationPath}: model.decoder.filename");
        ExternalDataCheck.Check(graph);
        return new ModelFolder(root, configuration, graph);
    }

    /// <summary>Reads tokenizer.json and tokenizer_config.json.</summary>
    /// <exception cref="InvalidDataException">A file is missing or broken, or the tokenizer has ids that the model does not know.</exception>
    public Tokenizer LoadTokenizer() => Checked(Tokenizer.Load(Path));

    /// <summary>Reads the tokenizer and the chat template.</summary>
    /// <inheritdoc cref="LoadTokenizer"/>
    public ChatEncoder LoadEncoder()
    {
        var encoder = ChatEncoder.Load(Path);
        Checked(encoder.Tokenizer);
        return encoder;
    }

    private Tokenizer Checked(Tokenizer tokenizer) => tokenizer.VocabularySize <= Configuration.VocabularySize
        ? tokenizer
        : throw new InvalidDataException($"{Path}: tokenizer.json has {tokenizer.VocabularySize} ids but {ConfigurationFile} gives the model {Configuration.VocabularySize}.");
}
