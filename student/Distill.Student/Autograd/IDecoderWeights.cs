using Distill.Architecture;
using Distill.Student.Model;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// The weights of a decoder as the passes for any device read and train them, on one device: the only thing that knows which of
/// them are trained and in what form they lie. All weights trained: <see cref="TrainedWeights"/>. Adapters over frozen weights, or over
/// weights that are kept in fewer bits, are other implementations. One thread; the owner disposes it.
/// </summary>
internal interface IDecoderWeights : IDisposable
{
    DecoderArchitecture Architecture { get; }

    Device Device { get; }

    /// <summary>Type of what enters and leaves the projections: fp32, bf16 or fp16.</summary>
    ScalarType Precision { get; }

    /// <summary>Of the trained values; cleared and filled by every pass.</summary>
    FlatGradient Gradient { get; }

    /// <summary>What walks over the trained values and their gradient, where these lie.</summary>
    IFlatPasses Passes { get; }

    /// <summary>Called before every pass: working copies follow what the optimizer changed.</summary>
    void Refresh();

    /// <summary>A linear layer. Asked for once; disposed with the weights.</summary>
    /// <param name="name">Within the layer, as in <c>self_attn.q_proj</c> or <c>mlp.down_proj</c>.</param>
    IProjection Projection(int layer, string name);

    /// <summary>
    /// A norm, the embedding or the output projection, fp32, in its own shape: a view that shows every update. Disposed with the weights.
    /// </summary>
    /// <param name="name">Out of <see cref="ParameterMap"/>.</param>
    Tensor Weight(string name);

    /// <summary>Where the gradient of a <see cref="Weight"/> goes in <see cref="Gradient"/>; null: it is frozen.</summary>
    long? GradientOffset(string name);
}

/// <summary>
/// A linear layer y = x·Wᵀ + b and its way back. Runs without a graph: whatever is trained in it gets its gradient in
/// <see cref="Backward"/>. One thread.
/// </summary>
internal interface IProjection : IDisposable
{
    /// <param name="input">[tokens, in] in <see cref="IDecoderWeights.Precision"/>.</param>
    /// <returns>[tokens, out] likewise; in the caller's dispose scope.</returns>
    Tensor Forward(Tensor input);

    /// <summary>Adds the gradients of what is trained in it to <see cref="IDecoderWeights.Gradient"/>.</summary>
    /// <param name="input">As given to <see cref="Forward"/>.</param>
    /// <param name="outputGradient">[tokens, out] in <see cref="IDecoderWeights.Precision"/>.</param>
    /// <param name="others">
    /// [tokens, in]: what other projections of the same input gave; overwritten by the sum and returned. Null: there are none.
    /// </param>
    /// <returns>Gradient by the input, [tokens, in]; in the caller's dispose scope.</returns>
    Tensor Backward(Tensor input, Tensor outputGradient, Tensor? others);
}
