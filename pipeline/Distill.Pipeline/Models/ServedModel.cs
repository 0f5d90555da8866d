using Distill.Architecture;
using Distill.Export;
using Distill.Export.Package;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;
using Distill.Storage;
using Distill.Student.Model;
using Distill.Student.Reinforcement;
using Distill.Tokenization;

namespace Distill.Pipeline.Models;

/// <summary>
/// A model ready to generate: an ONNX folder, or a checkpoint served from memory on the graph it would be exported as. Dispose it.
/// </summary>
internal sealed class ServedModel : IDisposable
{
    // Below this, decoding is bound by the operators' overhead, and one single-threaded session per core is fastest.
    private const long SmallModelBytes = 64 << 20;

    /// <summary>0 has every step on a card run as it is.</summary>
    private const string RecordingVariable = "DISTILL_CUDA_GRAPHS";

    private readonly ITokenModel model;

    private ServedModel(ITokenModel model, ChatEncoder encoder, long bytes, int slots, bool batched, ComputeDevice device)
    {
        this.model = model;
        Encoder = encoder;
        Workers = batched && IsSmall(bytes) && !device.IsCuda ? Environment.ProcessorCount : 1; // on a card they would wait for each other
        Generator = new BatchGenerator(model, slots: slots, workers: Workers);
    }

    public BatchGenerator Generator { get; }

    public ChatEncoder Encoder { get; }

    public ITokenModel Model => model;

    /// <summary>Threads that decode, each with a session of its own.</summary>
    public int Workers { get; }

    /// <summary>Opens either kind of folder, by what lies in it.</summary>
    /// <param name="slots">Rows decoded together.</param>
    /// <param name="batched">
    /// Many completions at once; otherwise one conversation, which is one row on one thread or on all of an operator's.
    /// </param>
    /// <param name="style">
    /// How every chat is put to the model; null: as a folder's provenance says it was trained, a checkpoint plainly.
    /// </param>
    /// <param name="engine">What runs it; a checkpoint is run by the own backend only.</param>
    /// <param name="device">Where it runs.</param>
    /// <exception cref="InvalidDataException">
    /// Neither a model folder nor a checkpoint, or none that the engine runs; names the file and the reason.
    /// </exception>
    /// <exception cref="DeviceUnavailableException">The device cannot be had, or cannot run the model.</exception>
    public static ServedModel Open(
        string folder, int slots, bool batched = true, PromptStyle? style = null, ModelEngine engine = ModelEngine.Onnx,
        ComputeDevice device = default)
    {
        if (engine.FaultOf(folder) is { } fault) throw new InvalidDataException($"{fault}. The engine onnx runs it.");
        return IsModelFolder(folder) ? OpenModelFolder(folder, slots, batched, style, engine, device)
            : OpenCheckpoint(folder, slots, batched, style, device);
    }

    /// <inheritdoc cref="ModelFolder.Announces"/>
    public static bool IsModelFolder(string folder) => ModelFolder.Announces(folder);

    /// <exception cref="InvalidDataException">
    /// Names the file and the reason; also when a file is not what the folder's provenance says.
    /// </exception>
    public static ServedModel OpenModelFolder(
        string folder, int slots, bool batched = true, PromptStyle? style = null, ModelEngine engine = ModelEngine.Onnx,
        ComputeDevice device = default)
    {
        if (PackageIntegrity.Check(folder) is [var fault, ..])
            throw new InvalidDataException($"'{folder}' is not what was exported: {fault} Take the folder anew, or export it again.");
        var opened = ModelFolder.Open(folder);
        long bytes = WeightBytes(opened);
        var encoder = opened.LoadEncoder().With(style ?? PackageProvenance.PromptOf(folder));
        var model = engine.Load(opened, On(device, Options(bytes, batched)));
        return new ServedModel(model, encoder, bytes, slots, batched, device);
    }

    /// <exception cref="InvalidDataException">Names the file and the reason.</exception>
    public static ServedModel OpenCheckpoint(
        string folder, int slots, bool batched = true, PromptStyle? style = null, ComputeDevice device = default)
    {
        var checkpoint = Checkpoint.Open(folder);
        var encoder = ChatEncoder.Load(folder).With(style ?? PromptStyle.Plain);
        long bytes = checkpoint.Architecture.ParameterCount * sizeof(float);
        // A card has no attention in fp32.
        var precision = device.IsCuda ? ExportPrecision.Half : ExportPrecision.Single;
        var options = new ExportOptions { Precision = precision };
        byte[] graph = new DecoderGraph(checkpoint.Architecture, options).ToBytes(checkpoint.LoadWeights());
        var model = DeviceModels.FromBytes(graph, checkpoint.Architecture.MaxPositions, On(device, Options(bytes, batched)));
        return new ServedModel(model, encoder, bytes, slots, batched, device);
    }

    /// <summary>How ONNX Runtime is best used for a model of this size.</summary>
    public static OnnxModelOptions Options(long weightBytes, bool batched = true) =>
        IsSmall(weightBytes) ? new OnnxModelOptions { IntraOpThreads = 1, AllowSpinning = !batched } : new OnnxModelOptions();

    /// <summary>How the weights of a student in training are best served to its own rollouts. The caller disposes it.</summary>
    public static IPolicyServer PolicyServer(FlatParameters student)
    {
        var architecture = student.Architecture;
        long bytes = architecture.ParameterCount * sizeof(float);
        if (student.Device.type == TorchSharp.DeviceType.CUDA)
            return new DevicePolicyServer(architecture, On(ComputeDevice.Cuda(student.Device.index), Options(bytes)));
        return IsSmall(bytes) ? new LivePolicyServer(architecture, Options(bytes)) : new OnnxPolicyServer(architecture, Options(bytes));
    }

    public void Dispose() => model.Dispose();

    /// <summary>The graph and what lies beside it under its name: the weights are in one or the other.</summary>
    internal static long WeightBytes(ModelFolder model) =>
        Directory.EnumerateFiles(Path.GetDirectoryName(model.GraphPath)!, Path.GetFileName(model.GraphPath) + "*")
            .Sum(ContainedPath.LengthOf);

    // This process uses a card for nothing else meanwhile, so that steps may be recorded there.
    private static OnnxModelOptions On(ComputeDevice device, OnnxModelOptions options) => options with
    {
        Device = device,
        Cuda = new() { CapturesGraphs = device.IsCuda && Environment.GetEnvironmentVariable(RecordingVariable) != "0" },
    };

    private static bool IsSmall(long bytes) => bytes < SmallModelBytes;
}

/// <summary>What is known of a model without its weights.</summary>
internal sealed record ModelFacts(int VocabularySize, ChatEncoder Encoder)
{
    /// <param name="folder">Of an ONNX model or of a checkpoint.</param>
    /// <exception cref="InvalidDataException">Neither of them, or it cannot chat; names the file and the reason.</exception>
    public static ModelFacts Of(string folder)
    {
        if (!ServedModel.IsModelFolder(folder))
            return new(Checkpoint.Open(folder).Architecture.VocabularySize, ChatEncoder.Load(folder).RequireChat());
        var opened = ModelFolder.Open(folder);
        return new(opened.Configuration.VocabularySize, opened.LoadEncoder().RequireChat());
    }
}
