namespace Distill.Architecture;

/// <summary>How the weights of a checkpoint are stored. Immutable.</summary>
/// <param name="Type">F32, BF16 or F16; rounded to nearest, ties to even.</param>
/// <param name="MaxShardBytes">Tensor bytes of one file; a larger tensor gets a file of its own. More than one file makes an index.</param>
public sealed record CheckpointStorage(SafeTensorType Type = SafeTensorType.Float32, long MaxShardBytes = 5_000_000_000)
{
    public static CheckpointStorage Default { get; } = new();
}
