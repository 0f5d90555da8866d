namespace Distill.Generation.Onnx;

/// <summary>
/// Bytes that one decoding session asks for when it is opened. The operating system hands out the pages of a cache as tokens
/// fill them, so this is the most that a session takes; weights and the operators' own buffers come on top.
/// </summary>
/// <param name="CacheBytes">Keys and values of all layers and slots.</param>
/// <param name="LogitsBytes">Logits of one step and of one part of a prompt.</param>
/// <param name="InputBytes">Token ids, attention masks, positions.</param>
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
