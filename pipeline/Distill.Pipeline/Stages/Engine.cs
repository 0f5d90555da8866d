using Distill.Architecture;
using Distill.Export;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Tokenization;

namespace Distill.Pipeline.Stages;

/// <summary>
/// A model ready to generate: an ONNX folder, or a checkpoint served from memory on the graph it would be exported as. Dispose it.
/// </summary>
public sealed class Engine : IDisposable
{
    // Below this, decoding is bound by the operators' overhead, and one single-threaded session per core is fastest.
    private const long SmallModelBytes = 64 << 20;

    private readonly OnnxTokenModel model;

    private Engine(OnnxTokenModel model, ChatEncoder encoder, long bytes, int slots)
    {
        this.model = model;
        Encoder = encoder;
        WeightBytes = bytes;
        Generator = new Generator(model, new GeneratorOptions { Slots = slots, Workers = IsSmall(bytes) ? Environment.ProcessorCount : 1 });
    }

    public Generator Generator { get; }

    public ChatEncoder Encoder { get; }

    public ITokenModel Model => model;

    /// <summary>Size of the weights.</summary>
    public long WeightBytes { get; }

    /// <summary>Opens either kind of folder, by what lies in it.</summary>
    /// <param name="slots">Rows decoded together.</param>
    /// <exception cref="InvalidDataException">Neither a model folder nor a checkpoint; names the file and the reason.</exception>
    public static Engine Open(string folder, int slots) => File.Exists(Path.Combine(folder, ModelFolder.ConfigurationFile))
        ? OpenModelFolder(folder, slots)
        : OpenCheckpoint(folder, slots);

    /// <exception cref="InvalidDataException">Names the file and the reason.</exception>
    public static Engine OpenModelFolder(string folder, int slots)
    {
        var opened = ModelFolder.Open(folder);
        long bytes = Directory.EnumerateFiles(Path.GetDirectoryName(opened.GraphPath)!).Sum(path => new FileInfo(path).Length);
        return new Engine(OnnxTokenModel.Load(opened, Options(bytes)), opened.LoadEncoder(), bytes, slots);
    }

    /// <exception cref="InvalidDataException">Names the file and the reason.</exception>
    public static Engine OpenCheckpoint(string folder, int slots)
    {
        var checkpoint = Checkpoint.Open(folder);
        long bytes = checkpoint.Architecture.ParameterCount * sizeof(float);
        byte[] graph = new DecoderGraph(checkpoint.Architecture).ToBytes(checkpoint.LoadWeights());
        return new Engine(OnnxTokenModel.FromBytes(graph, checkpoint.Architecture.MaxPositions, Options(bytes)), ChatEncoder.Load(folder), bytes, slots);
    }

    /// <summary>How ONNX Runtime is best used for a model of this size.</summary>
    public static OnnxModelOptions Options(long weightBytes) =>
        IsSmall(weightBytes) ? new OnnxModelOptions { IntraOpThreads = 1, AllowSpinning = false } : new OnnxModelOptions();

    public void Dispose() => model.Dispose();

    private static bool IsSmall(long bytes) => bytes < SmallModelBytes;
}
