using Distill.Libtorch;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Supervised;

/// <summary>
/// The numbers that a <see cref="RowLoss"/> takes of many distributions at once, and the gradient that follows from its slopes, by tensor
/// operations on the logits' device. All tensors belong to the caller's dispose scope.
/// </summary>
internal sealed class RowChunk
{
    private readonly LogitsChunk chunk;
    private readonly Tensor exponentials; // [rows, vocabulary]: exp(logit − largest), in the end the gradient
    private readonly Tensor total;        // [rows] fp64: their sum
    private readonly Tensor largest;      // [rows, 1]
    private readonly Tensor targets;      // [rows, 1]

    public RowChunk(LogitsChunk chunk)
    {
        this.chunk = chunk;
        using var scope = NewDisposeScope();
        var logits = chunk.Logits;
        targets = chunk.Targets.unsqueeze(1);
        largest = logits.amax([-1], keepdim: true);
        var shifted = logits - largest;
        exponentials = shifted.exp();
        total = Sum(exponentials);
        var product = Sum(shifted.mul_(exponentials));
        Tensor log = total.log(), logTotal = log.add(largest.squeeze(1), KeptScalar.One);
        Numbers = new(
            Kept(logTotal), Kept(logits.mean([-1]).to(ScalarType.Float64)), Kept(logits.gather(1, targets).squeeze(1) - logTotal),
            Kept(log - (product / total)));
        foreach (var tensor in (Tensor[])[targets, largest, exponentials, total]) tensor.MoveToOuterDisposeScope();
    }

    /// <summary>[rows] each.</summary>
    public RowNumbers<LossColumn> Numbers { get; }

    /// <param name="slopes">[rows] each.</param>
    /// <returns>Its gradient is this chunk's memory, which cannot be used again.</returns>
    public ChunkLoss Apply(RowSlopes<LossColumn> slopes)
    {
        using var scope = NewDisposeScope();
        exponentials.mul_(slopes.Logarithm.IsZero ? Single(slopes.Probability.Like(total) / total) : LogarithmicFactor(slopes));
        if (!slopes.Uniform.IsZero)
            exponentials.add_(Single(slopes.Uniform.Like(total)), KeptScalar.Of(1.0 / chunk.Logits.shape[1]));
        exponentials.scatter_add_(1, targets, Single(slopes.Target.Like(total)));
        return new ChunkLoss(slopes.Value.Like(total).sum().MoveToOuterDisposeScope(), exponentials);
    }

    // [rows, vocabulary]: Probability + Logarithm·log p, over the total; log p counted from the largest logit, where it matters most
    private Tensor LogarithmicFactor(RowSlopes<LossColumn> slopes)
    {
        var logarithm = slopes.Logarithm.Like(total);
        var rest = slopes.Probability.Like(total) - (logarithm * total.log());
        return (chunk.Logits - largest).mul_(Single(logarithm / total)).add_(Single(rest / total), KeptScalar.One);
    }

    private static Tensor Single(Tensor column) => column.to(ScalarType.Float32).unsqueeze(1);

    private static Tensor Sum(Tensor rows) => rows.sum(-1L).to(ScalarType.Float64);

    private static LossColumn Kept(Tensor column) => new(column.MoveToOuterDisposeScope());
}
