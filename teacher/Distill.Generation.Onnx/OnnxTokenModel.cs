using System.Runtime.InteropServices;
using Distill.Storage;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// A decoder run by ONNX Runtime, over one shared key-value buffer per layer where the graph appends in place (GroupQueryAttention),
/// otherwise over a cache that grows by copies (graphs of standard operators with position ids). Its own sessions are on the processor;
/// those on a CUDA card are others', and run this model's graph over memory there.
/// A folder's graph is told, from when it is loaded, which positions' logits are wanted, where its end allows that.
/// Over a shared cache, rows decoded together gave the bits of rows decoded alone in all but one of the folders tried (an int4 model
/// with zero points and blocks of 128: up to 0.02). Over a growing one padding moves logits by rounding (1e-6 of the largest in fp32,
/// 2e-3 in fp16), so results may depend on what is decoded beside them.
/// Opening sessions is safe from any thread, and sessions may run concurrently. Dispose it after its sessions.
/// </summary>
public sealed class OnnxTokenModel : ITokenModel
{
    private const string OfBytes = "The model given as bytes";

    private readonly OnnxModelOptions options;

    private readonly bool packed;

    private OnnxTokenModel(
        InferenceSession session, DecoderSignature signature, int maxLength, string source, OnnxModelOptions options, bool packed)
    {
        this.packed = packed;
        Session = session;
        Source = source;
        Signature = signature;
        MaxLength = maxLength;
        this.options = options;
    }

    public int VocabularySize => Signature.VocabularySize;

    public int MaxLength { get; }

    internal InferenceSession Session { get; }

    internal DecoderSignature Signature { get; }

    /// <summary>File or description, for messages.</summary>
    internal string Source { get; }

    /// <summary>Loads a model folder.</summary>
    /// <exception cref="InvalidDataException">Names the file and the reason.</exception>
    /// <exception cref="NotSupportedException">The device is a card: sessions opened here keep what they hold in the host's memory.
    /// </exception>
    public static OnnxTokenModel Load(string folder, OnnxModelOptions? options = null) => Load(ModelFolder.Open(folder), options);

    /// <inheritdoc cref="Load(string, OnnxModelOptions?)"/>
    public static OnnxTokenModel Load(ModelFolder folder, OnnxModelOptions? options = null)
    {
        RequireHost(options, folder.GraphPath);
        return Load(folder, options, TrialSession);
    }

    /// <summary>Loads a model folder for sessions of another kind.</summary>
    /// <param name="trial">Opens one of them, of one slot and two tokens: the model is tried with it.</param>
    /// <inheritdoc cref="Load(string, OnnxModelOptions?)"/>
    internal static OnnxTokenModel Load(
        ModelFolder folder, OnnxModelOptions? options, Func<OnnxTokenModel, IDecodeSession> trial) => Create(
        sessionOptions => OpenGraph(folder, sessionOptions, options is not { SelectLogitRows: false }), folder.Facts, folder.Configuration,
        folder.Configuration.ContextLength, folder.GraphPath, options, trial);

    /// <summary>
    /// Loads a model that holds its own weights, e.g. one rewritten after every training step. All sizes must be numbers in the graph.
    /// </summary>
    /// <param name="maxLength">Longest sequence: the length of the graph's rotary table.</param>
    /// <param name="shared">
    /// Constants that stay the caller's and may change between runs; what the model's bytes say of them is not read. Decoding a few rows is
    /// about a tenth slower then.
    /// </param>
    /// <exception cref="InvalidDataException">The bytes are not such a model.</exception>
    internal static OnnxTokenModel FromBytes(
        ReadOnlyMemory<byte> model, int maxLength, OnnxModelOptions? options = null, SharedInitializers? shared = null)
    {
        RequireHost(options, OfBytes);
        return FromBytes(model, maxLength, options, TrialSession, shared);
    }

    /// <summary>Loads a model from bytes for sessions of another kind, which may bind its weights.</summary>
    /// <param name="trial">Opens one of them, of one slot and two tokens: a model on a card is tried with it.</param>
    /// <param name="weights">Inputs of the graph that are weights.</param>
    /// <inheritdoc cref="FromBytes(ReadOnlyMemory{byte}, int, OnnxModelOptions?, SharedInitializers?)"/>
    internal static OnnxTokenModel FromBytes(
        ReadOnlyMemory<byte> model, int maxLength, OnnxModelOptions? options, Func<OnnxTokenModel, IDecodeSession> trial,
        SharedInitializers? shared = null, IEnumerable<string>? weights = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        byte[] bytes = MemoryMarshal.TryGetArray(model, out var segment) && segment.Offset == 0 && segment.Count == segment.Array!.Length
            ? segment.Array
            : model.ToArray();
        return Create(
            sessionOptions => new InferenceSession(bytes, sessionOptions), GraphWalk.Read(bytes), null, maxLength,
            OfBytes, options, trial, shared, weights);
    }

    /// <summary>What a session takes, and what <see cref="Open"/> compares with <see cref="OnnxModelOptions.MaxCacheBytes"/>.</summary>
    /// <param name="slots">At least 1.</param>
    /// <param name="maxLength">Tokens per slot, at least 2.</param>
    public SessionMemory MemoryOf(int slots, int maxLength) => Signature.Layout.MemoryOf(slots, maxLength);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The session would take more than <see cref="OnnxModelOptions.MaxCacheBytes"/>.</exception>
    /// <exception cref="NotSupportedException">The model runs on a card, whose sessions others open.</exception>
    public IDecodeSession Open(int slots, int maxLength)
    {
        RequireHost(options, Source);
        RequireRoom(slots, maxLength, packed ? slots : slots + 1);
        return packed ? OpenSession(slots, maxLength) : new CompanionSession(OpenSession(slots + 1, maxLength), VocabularySize);
    }

    public void Dispose() => Session.Dispose();

    /// <param name="opened">Slots that there will be, with those that nobody asked for.</param>
    /// <exception cref="ArgumentException">Impossible sizes, or more memory than is allowed.</exception>
    internal void RequireRoom(int slots, int maxLength, int opened)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxLength, MaxLength);
        if (OverBudget(opened, maxLength) is { } reason) throw new ArgumentException(reason, nameof(slots));
    }

    /// <summary>Whether a session of such a size is within <see cref="OnnxModelOptions.MaxCacheBytes"/>.</summary>
    internal bool HasRoom(int slots, int maxLength) => OverBudget(slots, maxLength) is null;

    /// <summary>
    /// ONNX Runtime copies what is bound from the host to a card when it is bound, once: from the second step on, a session over the
    /// host's memory would compute with ids and masks of the first.
    /// </summary>
    private static void RequireHost(OnnxModelOptions? options, string source)
    {
        if (options is not { Device.IsCuda: true }) return;
        throw new NotSupportedException(
            $"{source}: sessions of {nameof(OnnxTokenModel)} keep their buffers in the host's memory and cannot run on {options.Device}. "
                + "DeviceModels opens a model for any device; or take the device cpu.");
    }

    private DecodeSession OpenSession(int slots, int maxLength)
    {
        if (Signature.Layout.CacheType == TensorElementType.BFloat16 || Signature.Layout.LogitsType == TensorElementType.BFloat16)
        {
            throw new InvalidDataException(
                $"{Source} keeps cache or logits in bfloat16, which the processor does not compute with: export it in fp32, or run it on a "
                    + "card.");
        }

        return Signature.Layout.Grows ? new GrowingDecodeSession(this, slots, maxLength) : new SharedDecodeSession(this, slots, maxLength);
    }

    private static IDecodeSession TrialSession(OnnxTokenModel model) => model.OpenSession(1, 2);

    private string? OverBudget(int slots, int maxLength)
    {
        long bytes = MemoryOf(slots, maxLength).TotalBytes;
        return bytes <= options.MaxCacheBytes ? null
            : $"{Source}: {slots} slots × {maxLength} tokens × {Signature.Layout.Layers} layers take {bytes:N0} bytes of cache, logits and "
                + $"masks, and {options.MaxCacheBytes:N0} are allowed: "
                + $"use fewer slots, fewer tokens per completion (max tokens), or raise {nameof(OnnxModelOptions.MaxCacheBytes)}.";
    }

    /// <summary>
    /// Runs two tokens, one as a prompt and one as a step. A graph may leave open the sizes that its configuration fills in; only
    /// its kernels then know that these are wrong, and the folder must be refused here rather than in the middle of a batch. On a device
    /// this run also shows whether the graph's nodes are there.
    /// </summary>
    private void Try(Func<OnnxTokenModel, IDecodeSession> trial)
    {
        if (OverBudget(1, 2) is { } reason) throw new InvalidDataException(reason);
        using var session = trial(this);
        float[] logits = new float[VocabularySize];
        session.Prefill(0, [0], logits);
        session.Step([0], logits);
    }

    private static InferenceSession OpenGraph(ModelFolder folder, SessionOptions options, bool selectRows)
    {
        if (!selectRows || LogitRowSelection.Apply(folder.GraphPath, folder.Configuration.Names.Logits) is not { } graph)
            return new InferenceSession(folder.GraphPath, options);
        options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", graph.DataFolder);
        return new InferenceSession(graph.Model, options);
    }

    private static OnnxTokenModel Create(
        Func<SessionOptions, InferenceSession> open, GraphFacts facts, GenAIConfiguration? configuration, int maxLength, string source,
        OnnxModelOptions? options, Func<OnnxTokenModel, IDecodeSession> trial, SharedInitializers? shared = null,
        IEnumerable<string>? weights = null)
    {
        options ??= new OnnxModelOptions();
        InferenceSession? session = null;
        using var placement = options.Device.IsCuda ? new PlacementRecord() : null;
        try
        {
            _ = RuntimeTelemetry.Runtime;
            using SessionOptions sessionOptions = OptionsOf(options);
            placement?.AddTo(sessionOptions);
            shared?.AddTo(sessionOptions);
            session = open(sessionOptions);
            var model = new OnnxTokenModel(
                session, DecoderSignature.Read(session, facts, configuration, source, weights), maxLength, source, options,
                packed: shared is null);
            if (configuration is not null || placement is not null) model.Try(trial);
            if (placement is not null) PlacementRecord.RequireOn(options.Device, PlacementRecord.End(session), source);
            return model;
        }
        catch (OnnxRuntimeException e)
        {
            session?.Dispose();
            throw new InvalidDataException(Printable.Of($"{source}: ONNX Runtime cannot load it: {e.Message}"), e);
        }
        catch
        {
            session?.Dispose();
            throw;
        }
    }

    private static SessionOptions OptionsOf(OnnxModelOptions options)
    {
        var sessionOptions = new SessionOptions
        {
            IntraOpNumThreads = options.IntraOpThreads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            EnableMemoryPattern = false, // shapes vary from run to run
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, // faults arrive as exceptions
        };
        sessionOptions.AddSessionConfigEntry("session.intra_op.allow_spinning", options.AllowSpinning ? "1" : "0");
        if (!options.Device.IsCuda) return sessionOptions;
        try
        {
            CudaProvider.AddTo(sessionOptions, options.Device, options.Cuda);
            return sessionOptions;
        }
        catch
        {
            sessionOptions.Dispose();
            throw;
        }
    }
}

/// <summary>
/// How ONNX Runtime runs a model; none of it changes what the model says, but for rounding where it runs on another device.
/// </summary>
public sealed record OnnxModelOptions
{
    /// <summary>
    /// Where the model runs; default the processor. A card needs a build for CUDA (docs/cuda.md) and a graph in fp16 or bf16; what
    /// cannot be had is refused when the model is loaded, it never runs elsewhere in silence.
    /// </summary>
    public ComputeDevice Device { get; init; }

    /// <summary>
    /// Threads within one operator; 0 lets ONNX Runtime take one per physical core. 1 suits a <see cref="BatchGenerator"/> of several
    /// workers.
    /// </summary>
    public int IntraOpThreads { get; init; }

    /// <summary>
    /// Whether idle operator threads spin: faster alone, harmful when another library's threads share the cores. Default true.
    /// </summary>
    public bool AllowSpinning { get; init; } = true;

    /// <summary>
    /// Most memory that one session's cache, logits and masks may take (<see cref="SessionMemory.TotalBytes"/>). Default 8 GiB.
    /// </summary>
    public long MaxCacheBytes { get; init; } = 8L << 30;

    /// <summary>Of a <see cref="Device"/> that is a card.</summary>
    internal CudaOptions Cuda { get; init; } = new();

    /// <summary>
    /// Whether a graph is told which positions' logits are wanted (<see cref="LogitRowSelection"/>); without, it computes all of them.
    /// </summary>
    internal bool SelectLogitRows { get; init; } = true;
}
