using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Adapters;

/// <summary>
/// Differentiates a decoder by its adapters: merges them into the weights, differentiates by those, and takes the adapters' part. Costs the
/// whole gradient's memory but no moments for it. One thread. Disposes the model it wraps.
/// </summary>
/// <param name="whole">Over the parameters that <paramref name="adapters"/> merges into.</param>
internal sealed class AdaptedGradientModel(IGradientModel whole, LowRankAdapters adapters) : IGradientModel
{
    private readonly Tensor gradient = zeros_like(adapters.Values).DetachFromDisposeScope();

    /// <summary>The merged weights.</summary>
    public FlatParameters Parameters => whole.Parameters;

    /// <summary>[adapters]</summary>
    public Tensor Gradient => gradient;

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, ITokenLoss loss)
    {
        adapters.Merge();
        return Projected(whole.Differentiate(sequences, loss));
    }

    public PassResult Differentiate(IReadOnlyList<TrainingSequence> sequences, IDistributionLoss loss)
    {
        adapters.Merge();
        return Projected(whole.Differentiate(sequences, loss));
    }

    public IReadOnlyList<float[]> Score(IReadOnlyList<TrainingSequence> sequences)
    {
        adapters.Merge();
        return whole.Score(sequences);
    }

    public IReadOnlyList<float[]> Entropies(IReadOnlyList<TrainingSequence> sequences)
    {
        adapters.Merge();
        return whole.Entropies(sequences);
    }

    public void Dispose()
    {
        gradient.Dispose();
        whole.Dispose();
    }

    private PassResult Projected(PassResult result)
    {
        adapters.Project(whole.Gradient, gradient);
        return result;
    }
}
