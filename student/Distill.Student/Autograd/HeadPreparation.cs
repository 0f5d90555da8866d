using Distill.Architecture;
using Distill.Libtorch;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// Queries or keys: their projection, QK-norm and rotary embedding, and the way back. Halves of a head turn together:
/// (x1, x2) → (x1·cos − x2·sin, x2·cos + x1·sin). One thread.
/// </summary>
/// <param name="letter">q or k.</param>
internal sealed class HeadPreparation(IDecoderWeights weights, int layer, string letter, int heads)
{
    private readonly IProjection projection = weights.Projection(layer, $"self_attn.{letter}_proj");
    private readonly RootMeanSquareNorm? norm = weights.Architecture.QueryKeyNorm
        ? new RootMeanSquareNorm(weights, ParameterMap.Layer(layer, $"self_attn.{letter}_norm.weight")) : null;
    private readonly bool rotary = weights.Architecture.IsRotary(layer);
    private readonly long size = weights.Architecture.HeadSize;

    /// <param name="normed">[rows, hidden]</param>
    /// <param name="trace">Gets what entered the norm, if there is one.</param>
    /// <returns>[rows, heads · size] in the products' precision.</returns>
    public Tensor Forward(Tensor normed, DeviceBatch batch, LayerTrace? trace)
    {
        using var scope = NewDisposeScope();
        var x = projection.Forward(normed);
        if (norm is not null)
        {
            var rows = x.view(-1, size);
            (x, var inverse) = norm.Forward(rows);
            trace?.KeepHeads(letter, rows, inverse);
        }

        if (rotary) x = Turned(x, batch, 1);
        return x.to(weights.Precision).view(-1, heads * size).MoveToOuterDisposeScope();
    }

    /// <param name="slopes">[rows, heads · size]: gradient by what <see cref="Forward"/> gave.</param>
    /// <param name="others">As in <see cref="IProjection.Backward"/>, likewise the result.</param>
    public Tensor Backward(Tensor normed, Tensor slopes, DeviceBatch batch, LayerTrace trace, Tensor? others)
    {
        using var scope = NewDisposeScope();
        if (rotary) slopes = Turned(slopes, batch, -1);
        if (norm is not null)
        {
            var (x, inverse) = trace.Heads(letter);
            var sum = zeros([x.shape[0], size], ScalarType.Float32, weights.Device);
            norm.Backward(x, inverse, slopes.view(-1, size), sum);
            slopes = sum;
        }

        var gradient = projection.Backward(normed, slopes.to(weights.Precision).view(-1, heads * size), others);
        return others ?? gradient.MoveToOuterDisposeScope();
    }

    // By the angles of the positions, or back by them.
    private Tensor Turned(Tensor x, DeviceBatch batch, int direction)
    {
        var halves = x.view(-1, heads, 2, size / 2);
        Tensor first = halves.narrow(2, 0, 1), second = halves.narrow(2, 1, 1);
        var turned = halves * batch.Cosines; // fp32
        turned.narrow(2, 0, 1).addcmul_(second, batch.Sines, KeptScalar.Of(-direction));
        turned.narrow(2, 1, 1).addcmul_(first, batch.Sines, KeptScalar.Of(direction));
        return turned;
    }
}
