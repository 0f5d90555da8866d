using Distill.Architecture;
using Distill.Export;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Tokenization;

namespace Distill.Cli.Models;

/// <summary>
/// A model folder ready to answer, whatever kind it is: an exported model as it lies there, a checkpoint through the same graph built in
/// memory. Dispose it after its sessions.
/// </summary>
internal sealed class ServedModel : IDisposable
{
    // Up to here a core's cache holds a good part of the weights, and one thread per session beats several per operator.
    private const long SmallBytes = 50L << 20;

    private ServedModel(string name, string kind, ITokenModel model, ChatEncoder encoder, int workers) =>
        (Name, Kind, Model, Encoder, Workers) = (name, kind, model, encoder, workers);

    /// <summary>The folder's name.</summary>
    public string Name { get; }

    /// <summary><c>onnx</c> or <c>checkpoint</c>.</summary>
    public string Kind { get; }

    public ITokenModel Model { get; }

    public ChatEncoder Encoder { get; }

    /// <summary>How many threads should decode, each with a session of its own.</summary>
    public int Workers { get; }

    /// <param name="batched">Many completions at once; otherwise one conversation, which wants all cores in each step.</param>
    /// <exception cref="UsageException">The folder is no model.</exception>
    /// <exception cref="InvalidDataException">The model cannot be used; names the file and the reason.</exception>
    public static ServedModel Open(string folder, bool batched)
    {
        ModelFolders.RequireModel(folder);
        bool onnx = ModelFolders.IsOnnx(folder);
        bool small = (onnx ? OnnxBytes(folder) : 4 * Checkpoint.Open(folder).Architecture.ParameterCount) <= SmallBytes;
        int workers = small && batched ? Environment.ProcessorCount : 1;
        var options = new OnnxModelOptions { IntraOpThreads = small ? 1 : 0, AllowSpinning = workers == 1 };
        var encoder = ChatEncoder.Load(folder);
        var model = onnx ? OnnxTokenModel.Load(folder, options) : Serve(Checkpoint.Open(folder), options);
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        return new ServedModel(name, onnx ? "onnx" : "checkpoint", model, encoder, workers);
    }

    public Generator Generator(int slots) => new(Model, new GeneratorOptions { Slots = slots, Workers = Workers });

    public void Dispose() => Model.Dispose();

    private static OnnxTokenModel Serve(Checkpoint checkpoint, OnnxModelOptions options) =>
        OnnxTokenModel.FromBytes(new DecoderGraph(checkpoint.Architecture).ToBytes(checkpoint.LoadWeights()),
            checkpoint.Architecture.MaxPositions, options);

    // The graph and what lies beside it: the weights are in one or the other.
    private static long OnnxBytes(string folder)
    {
        string graph = ModelFolder.Open(folder).GraphPath;
        string stem = Path.GetFileName(graph);
        return Directory.EnumerateFiles(Path.GetDirectoryName(graph)!, stem + "*").Sum(file => new FileInfo(file).Length);
    }
}
