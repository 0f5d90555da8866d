using Distill.Libtorch;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Model;

/// <summary>
/// AdamW by tensor operations over flat values: ten a piece, however many neighbouring tensors these are. Values that do not decay — norms
/// and biases, a few thousand among millions — are set aside while the others shrink.
/// </summary>
internal sealed class TensorUpdate : IFlatUpdate
{
    private readonly ITrainedValues trained;
    private readonly List<DecayPiece> pieces = [];

    /// <param name="blocks">What is updated, in the order in which it lies.</param>
    public TensorUpdate(ITrainedValues trained, IReadOnlyList<TrainedBlock> blocks)
    {
        this.trained = trained;
        foreach (var (offset, whole, _, _) in TrainedBlock.Joined(blocks, alike: false))
            foreach (var (start, count) in TensorPasses.PiecesOf(whole))
                pieces.Add(new DecayPiece(offset + start, count, Exempt(blocks, offset + start, offset + start + count)));
    }

    public void Apply(Tensor gradient, Tensor first, Tensor second, in AdamWStep step)
    {
        using var without = no_grad();
        using Scalar beta1 = step.Beta1, beta2 = step.Beta2, shrink = step.Shrink;
        using Scalar newFirst = step.Clip * (1 - step.Beta1), newSecond = step.Clip * step.Clip * (1 - step.Beta2);
        using Scalar epsilon = step.Epsilon / step.Correction, size = -step.Size / step.Correction;
        foreach (var (start, count, exempt) in pieces)
        {
            using var scope = NewDisposeScope();
            Tensor values = Of(trained.Values), slopes = Of(gradient), m = Of(first), v = Of(second);
            m.mul_(beta1).add_(slopes, newFirst);
            v.mul_(beta2).addcmul_(slopes, slopes, newSecond);
            if (step.Shrink != 1) Shrink(values, shrink, exempt);
            values.addcdiv_(m, v.sqrt().add_(epsilon, KeptScalar.One), size);

            Tensor Of(Tensor whole) => whole.narrow(0, start, count);
        }
    }

    public void Dispose()
    {
        foreach (var piece in pieces) piece.Exempt?.Dispose();
    }

    private static void Shrink(Tensor values, Scalar factor, Tensor? exempt)
    {
        var kept = exempt is null ? null : values.gather(0, exempt);
        values.mul_(factor);
        if (exempt is not null) values.scatter_(0, exempt, kept!);
    }

    // [exempt] int64, counted from the piece's start; null where all decay.
    private Tensor? Exempt(IEnumerable<TrainedBlock> blocks, long start, long end)
    {
        using var scope = NewDisposeScope();
        var ranges = blocks.Where(block => !block.Decays)
            .Select(block => (First: Math.Max(block.Offset, start), End: Math.Min(block.Offset + block.Count, end)))
            .Where(range => range.First < range.End)
            .Select(range => arange(range.First - start, range.End - start, ScalarType.Int64)).ToList();
        return ranges.Count == 0 ? null : cat(ranges).to(trained.Values.device).DetachFromDisposeScope();
    }

    /// <summary>Neighbouring values and which of them do not decay.</summary>
    private sealed record DecayPiece(long Start, long Count, Tensor? Exempt);
}
