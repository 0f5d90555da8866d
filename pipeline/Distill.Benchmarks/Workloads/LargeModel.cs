using Distill.Architecture;
using Distill.Export;
using Distill.Export.Package;
using Distill.Generation.Onnx;

namespace Distill.Benchmarks.Workloads;

/// <summary>
/// The model given by <c>--model</c>, as an ONNX folder: exported to a temporary one where it is a checkpoint. Dispose it.
/// </summary>
internal sealed class LargeModel : IDisposable
{
    private readonly TemporaryFolder? exported;

    private LargeModel(string name, string onnxFolder, Checkpoint? checkpoint, TemporaryFolder? exported)
    {
        (Name, OnnxFolder, Checkpoint, this.exported) = (name, onnxFolder, checkpoint, exported);
        WeightBytes = checkpoint is not null ? checkpoint.Architecture.ParameterCount * sizeof(float) : SizeOfGraph(onnxFolder);
    }

    public string Name { get; }

    public string OnnxFolder { get; }

    /// <summary>Null when an ONNX folder was given.</summary>
    public Checkpoint? Checkpoint { get; }

    /// <summary>What a decoding step must read at least: tied embeddings count once.</summary>
    public long WeightBytes { get; }

    /// <exception cref="WorkloadAbsentException">There is no model.</exception>
    public static LargeModel Open(string folder)
    {
        if (!Directory.Exists(folder)) throw new WorkloadAbsentException("the model is not there; give one with --model");
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (File.Exists(Path.Combine(folder, ModelFolder.ConfigurationFile))) return new LargeModel(name, folder, null, null);
        var checkpoint = Checkpoint.Open(folder);
        var target = new TemporaryFolder();
        Export(checkpoint, target.Path);
        return new LargeModel(name, target.Path, checkpoint, target);
    }

    public static void Export(Checkpoint checkpoint, string target, ExportPrecision precision = ExportPrecision.Single) =>
        ModelPackage.Write(target, checkpoint.LoadWeights(), TokenizerOf(checkpoint), Description, new() { Precision = precision });

    public static TokenizerFiles TokenizerOf(Checkpoint checkpoint) => checkpoint.Tokenizer
        ?? throw new WorkloadAbsentException("the checkpoint has no tokenizer.json");

    public static PackageDescription Description { get; } = new() { Name = "benchmark" };

    public OnnxTokenModel Load(OnnxModelOptions? options = null) => OnnxTokenModel.Load(OnnxFolder, options);

    /// <exception cref="WorkloadAbsentException">An ONNX folder was given.</exception>
    public Checkpoint RequireCheckpoint() =>
        Checkpoint ?? throw new WorkloadAbsentException("an ONNX folder was given with --model; this needs a checkpoint");

    public void Dispose() => exported?.Dispose();

    private static long SizeOfGraph(string folder) =>
        new DirectoryInfo(Path.GetDirectoryName(ModelFolder.Open(folder).GraphPath)!).EnumerateFiles().Sum(file => file.Length);
}

/// <summary>A model that a benchmark needs is not there; its figures are not applicable for this reason.</summary>
internal sealed class WorkloadAbsentException(string message) : Exception(message);
