using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distill.Generation.Onnx;

/// <summary>
/// Everything that decides how large a session's buffers are: known from the session, from a folder, or from a configuration alone.
/// </summary>
internal sealed record CacheLayout(int Layers, int KeyValueHeads, int HeadSize, int VocabularySize)
{
    // A prompt's logits are given for every position; longer prompts go in chunks, so that those of a large vocabulary fit.
    private const long MostPromptLogits = 16L << 20;

    // Larger products gain nothing beyond this, and a cancelled prompt waits for its run.
    private const int LongestPart = 512;

    // Prompts read together: as many as give products of a good size; more would only make the first of them wait.
    private const int JointPlaces = 256;

    /// <summary>Float, Float16 or BFloat16.</summary>
    public TensorElementType CacheType { get; init; } = TensorElementType.Float;

    /// <summary>Float, Float16 or BFloat16.</summary>
    public TensorElementType LogitsType { get; init; } = TensorElementType.Float;

    /// <summary>A run gives a new and longer cache instead of appending to the one it got.</summary>
    public bool Grows { get; init; }

    /// <summary>
    /// Least cache length of a layer, [layers]; 1 for a layer that attends to everything. A growing cache has no least length.
    /// </summary>
    public IReadOnlyList<int>? Windows { get; init; }

    public static bool IsSupported(TensorElementType type) =>
        type is TensorElementType.Float or TensorElementType.Float16 or TensorElementType.BFloat16;

    public static int SizeOf(TensorElementType type) => type switch
    {
        TensorElementType.Float => sizeof(float),
        TensorElementType.Float16 or TensorElementType.BFloat16 => sizeof(ushort),
        TensorElementType.Int64 => sizeof(long),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type that the engine computes with."),
    };

    public static CacheLayout Of(GenAIConfiguration configuration, TensorElementType cache, TensorElementType logits, bool grows) =>
        new(configuration.Layers, configuration.KeyValueHeads, configuration.HeadSize, configuration.VocabularySize)
        {
            CacheType = cache, LogitsType = logits, Grows = grows, Windows = WindowsOf(configuration, configuration.Layers),
        };

    /// <summary>Window of each layer as the configuration gives it; null when no layer has one.</summary>
    public static IReadOnlyList<int>? WindowsOf(GenAIConfiguration? configuration, int layers)
    {
        if (configuration?.SlidingWindow is not { } window) return null;
        int[] windows = new int[layers];
        Array.Fill(windows, 1);
        foreach (int layer in window.Layers) windows[layer] = window.Size;
        return windows;
    }

    /// <summary>
    /// Tokens that a layer's shared buffer holds. A windowed layer would do with its window, but then what slid out of it could
    /// not come back: cutting or copying part of a slot would be wrong.
    /// </summary>
    public int Capacity(int layer, int maxLength) => Math.Max(Windows?[layer] ?? 1, maxLength);

    /// <summary>Longest part of a prompt that one run takes when it gives the logits of every position.</summary>
    public int Chunk(int maxLength) => (int)Math.Min(Math.Max(MostPromptLogits / VocabularySize, 16), maxLength);

    /// <summary>Longest part of a prompt that one run takes when it gives the logits of one position.</summary>
    public int Part(int maxLength) => Math.Min(Math.Max(LongestPart, Chunk(maxLength)), maxLength);

    /// <summary>Most places of one run over several prompts, padding included.</summary>
    public int Joint(int slots, int maxLength) => Grows ? 0 : (int)Math.Min(JointPlaces, (long)slots * maxLength);

    /// <summary>Most token ids of a run over one prompt or several.</summary>
    public int PromptIds(int slots, int maxLength) => Math.Max(Part(maxLength), Joint(slots, maxLength));

    /// <summary>Bytes of the buffers of a session; alignment (64 bytes a buffer) excluded.</summary>
    public SessionMemory MemoryOf(int slots, int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        Int128 tokens = 0;
        for (int layer = 0; layer < Layers; layer++) tokens += Grows ? maxLength : Capacity(layer, maxLength);
        Int128 slot = 2 * tokens * KeyValueHeads * HeadSize * SizeOf(CacheType);

        // A growing cache is kept per slot and gathered into what a run reads and writes: for a step and for one prompt.
        Int128 slotCaches = Grows ? ((Int128)3 * slots) + 2 : slots;
        Int128 logits = ((Int128)slots + Chunk(maxLength)) * VocabularySize * SizeOf(LogitsType);
        Int128 ids = ((Int128)(Grows ? 2 : 1) * (slots + PromptIds(slots, maxLength))) + Math.Max(slots, Part(maxLength));
        Int128 mask = (((Int128)slots + 1) * maxLength) + Joint(slots, maxLength) + (Grows ? 0 : slots);
        return new SessionMemory(
            SessionMemory.Clamp(slot * slotCaches), SessionMemory.Clamp(logits), SessionMemory.Clamp((ids + mask) * sizeof(long)));
    }
}

/// <summary>
/// Bytes that one decoding session asks for when it is opened. The operating system hands out the pages of a cache as tokens
/// fill them, so this is the most that a session takes; weights and the operators' own buffers come on top.
/// </summary>
/// <param name="CacheBytes">Keys and values of all layers and slots.</param>
/// <param name="LogitsBytes">Logits of one step and of one part of a prompt.</param>
/// <param name="InputBytes">Token ids, attention masks, positions, rows whose logits are wanted.</param>
public readonly record struct SessionMemory(long CacheBytes, long LogitsBytes, long InputBytes)
{
    /// <summary>The sum; <see cref="long.MaxValue"/> where it would be larger.</summary>
    public long TotalBytes => Clamp((Int128)CacheBytes + LogitsBytes + InputBytes);

    /// <summary>Of a float32 model over one shared cache, as this project's exporter writes it.</summary>
    /// <param name="slots">At least 1.</param>
    /// <param name="maxLength">Tokens per slot, at least 2.</param>
    public static SessionMemory Of(int layers, int keyValueHeads, int headSize, int vocabularySize, int slots, int maxLength) =>
        new CacheLayout(layers, keyValueHeads, headSize, vocabularySize).MemoryOf(slots, maxLength);

    internal static long Clamp(Int128 bytes) => bytes > long.MaxValue ? long.MaxValue : (long)bytes;
}
