using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// The softmax of a chunk of logits and what is known of its learned tokens, in as few passes over the vocabulary as there are. One thread.
/// </summary>
/// <param name="LogProbabilities">[rows, 1], likewise the others.</param>
/// <param name="Entropies">In nats.</param>
/// <param name="Hits">1 where no other token was more likely.</param>
/// <param name="Total">Σ exp(logit − largest).</param>
/// <param name="Exponentials">[rows, vocabulary]: exp(logit − largest); null where it was not kept.</param>
internal sealed record Softmax(Tensor LogProbabilities, Tensor Entropies, Tensor Hits, Tensor Total, Tensor? Exponentials)
{
    /// <param name="logits">[rows, vocabulary] fp32; overwritten when <paramref name="keep"/>.</param>
    /// <param name="targets">[rows] int64</param>
    /// <param name="keep">Whether <see cref="Slopes"/> will be asked for.</param>
    /// <returns>In the caller's dispose scope.</returns>
    public static Softmax Of(Tensor logits, Tensor targets, IDeviceOperations operations, bool keep)
    {
        using var scope = NewDisposeScope();
        var largest = logits.amax([-1], keepdim: true);
        var chosen = operations.Pick(logits, targets.unsqueeze(1));
        var exponentials = logits.sub(largest).exp_();
        var total = exponentials.sum(-1, keepdim: true);
        var logTotal = total.log().add_(largest);
        var products = keep ? logits.mul_(exponentials) : exponentials.mul_(logits);
        var entropies = logTotal.sub(products.sum(-1, keepdim: true).div_(total));
        return new Softmax(
            chosen.sub(logTotal), entropies, chosen.ge(largest).to(ScalarType.Float32), total, keep ? exponentials : null)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Turns what was kept into slope · (one-hot − softmax): by each logit, where slope is by the log-probability.</summary>
    /// <param name="slope">[rows, 1]</param>
    /// <returns>[rows, vocabulary], in the memory of <see cref="Exponentials"/>.</returns>
    public Tensor Slopes(Tensor slope, Tensor targets, IDeviceOperations operations)
    {
        var slopes = Exponentials ?? throw new InvalidOperationException("The softmax was not kept.");
        slopes.mul_(slope.div(Total).neg_());
        operations.AddAt(slopes, targets.unsqueeze(1), slope);
        return slopes;
    }

    public Softmax MoveToOuterDisposeScope()
    {
        foreach (var tensor in (Tensor?[])[LogProbabilities, Entropies, Hits, Total, Exponentials]) tensor?.MoveToOuterDisposeScope();
        return this;
    }
}
