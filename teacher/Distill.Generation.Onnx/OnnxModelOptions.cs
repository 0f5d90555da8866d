namespace Distill.Generation.Onnx;

/// <summary>How ONNX Runtime runs a model; none of it changes what the model says.</summary>
public sealed record OnnxModelOptions
{
    /// <summary>Threads within one operator; 0 lets ONNX Runtime take one per physical core. 1 suits <see cref="GeneratorOptions.Workers"/> > 1.</summary>
    public int IntraOpThreads { get; init; }

    /// <summary>Whether idle operator threads spin: faster alone, harmful when another library's threads share the cores. Default true.</summary>
    public bool AllowSpinning { get; init; } = true;

    /// <summary>Most memory that one session's cache, logits and masks may take (<see cref="SessionMemory.TotalBytes"/>). Default 8 GiB.</summary>
    public long MaxCacheBytes { get; init; } = 8L << 30;
}
