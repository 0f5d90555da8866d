using Distill.Libtorch;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Adapters;

/// <summary>
/// Differentiates a decoder by its adapters through passes that know nothing of them: merges them into the weights, differentiates by
/// those, and takes the adapters' part by the chain rule: ∂A = scale·Bᵀ·∂W and ∂B = scale·∂W·Aᵀ. On the processor several times faster than
/// <see cref="AdapterWeights"/>, whose products are small and many, but costs a copy of the adapted weights and the whole gradient. One
/// thread. Disposes the model it wraps.
/// </summary>
internal sealed class AdaptedGradientModel : IGradientModel
{
    private readonly IGradientModel whole;
    private readonly LowRankAdapters adapters;
    private readonly Tensor gradient;

    /// <param name="whole">Over the parameters that <paramref name="adapters"/> merge into.</param>
    public AdaptedGradientModel(IGradientModel whole, LowRankAdapters adapters)
    {
        (this.whole, this.adapters) = (whole, adapters);
        adapters.KeepBase();
        gradient = zeros_like(adapters.Values).DetachFromDisposeScope();
    }

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
        using var without = no_grad();
        foreach (var place in adapters.Places)
        {
            using var scope = NewDisposeScope();
            // Cloned into aligned memory: on some processors a product's last bits depend on where its factors lie.
            Tensor a = place.A(adapters.Values).clone(), b = place.B(adapters.Values).clone();
            var slope = whole.Gradient.narrow(0, Parameters.OffsetOf(place.Name), place.Out * place.In).clone().view(place.Out, place.In);
            place.A(gradient).copy_(b.t().mm(slope).mul_(KeptScalar.Of(adapters.Scale)));
            place.B(gradient).copy_(slope.mm(a.t()).mul_(KeptScalar.Of(adapters.Scale)));
        }

        return result;
    }
}
