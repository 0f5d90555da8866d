using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// The softmax of a chunk of logits and what is known of its learned tokens, in few passes over the vocabulary. One thread.
/// </summary>
/// <param name="LogProbabilities">[rows, 1], likewise the others.</param>
/// <param name="Entropies">In nats.</param>
/// <param name="Hits">1 where no other token was more likely.</param>
/// <param name="Probabilities">[rows, vocabulary]; null where they were not kept.</param>
internal sealed record Softmax(Tensor LogProbabilities, Tensor Entropies, Tensor Hits, Tensor? Probabilities)
{
    /// <param name="logits">[rows, vocabulary] fp32; overwritten when <paramref name="keep"/>.</param>
    /// <param name="targets">[rows] int64</param>
    /// <param name="keep">Whether <see cref="Slopes"/> will be asked for.</param>
    /// <returns>In the caller's dispose scope.</returns>
    public static Softmax Of(Tensor logits, Tensor targets, bool keep)
    {
        using var scope = NewDisposeScope();
        var probabilities = nn.functional.softmax(logits, -1);
        var largest = logits.amax([-1], keepdim: true);
        var chosen = logits.gather(1, targets.unsqueeze(1));
        var logTotal = largest.sub(probabilities.amax([-1], keepdim: true).log_()); // the likeliest has exp(largest − log Σ)
        var products = keep ? logits.mul_(probabilities) : probabilities.mul_(logits);
        return new Softmax(
            chosen.sub(logTotal), logTotal.sub(products.sum(-1, keepdim: true)), chosen.ge(largest).to(ScalarType.Float32),
            keep ? probabilities : null)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Turns what was kept into slope · (one-hot − softmax): by each logit, where slope is by the log-probability.</summary>
    /// <param name="slope">[rows, 1]</param>
    /// <returns>[rows, vocabulary], in the memory of <see cref="Probabilities"/>.</returns>
    public Tensor Slopes(Tensor slope, Tensor targets)
    {
        var slopes = Probabilities ?? throw new InvalidOperationException("The softmax was not kept.");
        slopes.mul_(slope.neg());
        slopes.scatter_add_(1, targets.unsqueeze(1), slope);
        return slopes;
    }

    public Softmax MoveToOuterDisposeScope()
    {
        foreach (var tensor in (Tensor?[])[LogProbabilities, Entropies, Hits, Probabilities]) tensor?.MoveToOuterDisposeScope();
        return this;
    }
}
