using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Onnx;

/// <summary>
/// A decoder run by ONNX Runtime on the CPU, with one shared key-value buffer per layer (GroupQueryAttention). Opening sessions
/// is safe from any thread, and sessions may run concurrently. Dispose it after its sessions.
/// </summary>
public sealed class OnnxTokenModel : ITokenModel
{
    // Longer than any sliding window in use; the pages of a cache cost nothing until tokens fill them.
    private const int LongestProbe = 1 << 16;

    private readonly OnnxModelOptions options;

    private OnnxTokenModel(InferenceSession session, DecoderSignature signature, int maxLength, string source, OnnxModelOptions options)
    {
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
    public static OnnxTokenModel Load(string folder, OnnxModelOptions? options = null) => Load(ModelFolder.Open(folder), options);

    /// <inheritdoc cref="Load(string, OnnxModelOptions?)"/>
    public static OnnxTokenModel Load(ModelFolder folder, OnnxModelOptions? options = null) => Create(
        sessionOptions => new InferenceSession(folder.GraphPath, sessionOptions), folder.Configuration, folder.Configuration.ContextLength, folder.GraphPath, options);

    /// <summary>Loads a model that holds its own weights, e.g. one rewritten after every training step. All sizes must be numbers in the graph.</summary>
    /// <param name="maxLength">Longest sequence: the length of the graph's rotary table.</param>
    /// <exception cref="InvalidDataException">The bytes are not such a model.</exception>
    public static OnnxTokenModel FromBytes(ReadOnlyMemory<byte> model, int maxLength, OnnxModelOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        byte[] bytes = MemoryMarshal.TryGetArray(model, out var segment) && segment.Offset == 0 && segment.Count == segment.Array!.Length
            ? segment.Array
            : model.ToArray();
        ExternalDataCheck.Check(bytes);
        return Create(sessionOptions => new InferenceSession(bytes, sessionOptions), null, maxLength, "The model given as bytes", options);
    }

    public IDecodeSession Open(int slots, int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxLength, MaxLength);
        long bytes = KeyValueCache.BytesFor(Signature, slots, maxLength);
        if (bytes > options.MaxCacheBytes)
            throw new ArgumentException($"A cache of {slots} slots × {maxLength} tokens takes {bytes:N0} bytes, more than the {options.MaxCacheBytes:N0} allowed: use fewer slots or shorter completions.", nameof(slots));
        return new OnnxDecodeSession(this, slots, maxLength);
    }

    public void Dispose() => Session.Dispose();

    /// <summary>
    /// Runs one token. A graph may leave open the sizes that its configuration fills in; only its kernels then know that these
    /// are wrong, and the folder must be refused here rather than in the middle of a batch.
    /// </summary>
    private void Probe()
    {
        long most = Math.Min(Math.Min(MaxLength, LongestProbe), options.MaxCacheBytes / KeyValueCache.BytesFor(Signature, 1, 1));
        try
        {
            RunOneToken(2);
        }
        catch (InvalidDataException) when (most > 2)
        {
            RunOneToken((int)most); // a sliding-window cache must hold its window, whose length the signature does not tell
        }
    }

    private void RunOneToken(int maxLength)
    {
        using var session = new OnnxDecodeSession(this, 1, maxLength);
        session.Prefill(0, [0], new float[VocabularySize]);
    }

    private static OnnxTokenModel Create(
        Func<SessionOptions, InferenceSession> open, GenAIConfiguration? configuration, int maxLength, string source, OnnxModelOptions? options)
    {
        options ??= new OnnxModelOptions();
        using var sessionOptions = new SessionOptions
        {
            IntraOpNumThreads = options.IntraOpThreads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            EnableMemoryPattern = false, // shapes vary from run to run
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, // faults arrive as exceptions
        };
        sessionOptions.AddSessionConfigEntry("session.intra_op.allow_spinning", options.AllowSpinning ? "1" : "0");
        InferenceSession? session = null;
        try
        {
            session = open(sessionOptions);
            var model = new OnnxTokenModel(session, DecoderSignature.Read(session, configuration, source), maxLength, source, options);
            if (configuration is not null) model.Probe();
            return model;
        }
        catch (OnnxRuntimeException e)
        {
            session?.Dispose();
            throw new InvalidDataException($"{source}: ONNX Runtime cannot load it: {e.Message}", e);
        }
        catch
        {
            session?.Dispose();
            throw;
        }
    }
}
