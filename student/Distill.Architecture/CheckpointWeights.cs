namespace Distill.Architecture;

/// <summary>
/// The weights of a checkpoint, its files open: a tensor is read and widened when it is asked for. The opener disposes it, after which the
/// weights cannot be read any more.
/// </summary>
internal sealed class CheckpointWeights : IDisposable
{
    private readonly SafeTensorsFolder files;

    internal CheckpointWeights(SafeTensorsFolder files, DecoderArchitecture architecture)
    {
        this.files = files;
        Weights = WeightSet.Streamed(architecture, spec => files.FileOf(spec.Name).ReadSingles(spec.Name));
    }

    public WeightSet Weights { get; }

    public void Dispose() => files.Dispose();
}
