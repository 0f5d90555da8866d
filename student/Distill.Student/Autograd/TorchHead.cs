using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// Output projection and log-softmax, a few learned tokens at a time: never more than a chunk of [tokens, vocabulary] exists, whatever the
/// vocabulary. A loss that needs the log-probabilities of all tokens has the logits computed twice. One thread.
/// </summary>
/// <param name="chunkValues">Logits that may exist at once; at least one token's.</param>
internal sealed class TorchHead(FlatParameters parameters, TorchDecoder decoder, int chunkValues)
{
    private readonly int vocabulary = parameters.Architecture.VocabularySize;
    private readonly int chunk = Math.Max(1, chunkValues / parameters.Architecture.VocabularySize);
    private readonly long offset =
        parameters.OffsetOf(parameters.Architecture.TieEmbeddings ? ParameterMap.Embedding : ParameterMap.OutputProjection);

    /// <param name="rows">[supervised, hidden], normed.</param>
    /// <param name="sums">Of the log-probabilities, the entropies and the hits.</param>
    /// <returns>[supervised]</returns>
    public float[] Score(TokenBatch batch, Tensor rows, out PassSums sums)
    {
        sums = default;
        var scored = new float[batch.Targets.Length];
        using var without = no_grad();
        for (int first = 0; first < scored.Length; first += chunk)
        {
            using var scope = NewDisposeScope();
            int count = Math.Min(chunk, scored.Length - first);
            var all = LogProbabilities(rows.narrow(0, first, count));
            var chosen = Chosen(all, batch, first, count);
            chosen.data<float>().CopyTo(scored, first);
            sums += new PassSums(0, 0, -(all.exp() * all).sum().item<float>(), chosen.eq(all.amax([-1])).sum().item<long>());
        }

        sums = sums with { LogProbability = scored.Sum(x => (double)x) };
        return scored;
    }

    /// <returns>[supervised]: entropies in nats.</returns>
    public float[] Entropies(TokenBatch batch, Tensor rows)
    {
        var entropies = new float[batch.Targets.Length];
        using var without = no_grad();
        for (int first = 0; first < entropies.Length; first += chunk)
        {
            using var scope = NewDisposeScope();
            var all = LogProbabilities(rows.narrow(0, first, Math.Min(chunk, entropies.Length - first)));
            (all.exp() * all).sum(-1).neg().data<float>().CopyTo(entropies, first);
        }

        return entropies;
    }

    public HeadPass Differentiate(TokenBatch batch, Tensor rows, ITokenLoss loss, FlatGradient gradient)
    {
        float[] scored = Score(batch, rows, out var sums), derivatives = new float[scored.Length];
        double value = loss.Evaluate(batch, scored, derivatives);
        var rowGradient = zeros_like(rows);
        for (int first = 0; first < scored.Length; first += chunk)
        {
            using var scope = NewDisposeScope();
            int count = Math.Min(chunk, scored.Length - first);
            var input = rows.narrow(0, first, count).detach().requires_grad_(true);
            Pull(Chosen(LogProbabilities(input), batch, first, count), tensor(derivatives[first..(first + count)]), input,
                rowGradient.narrow(0, first, count), gradient);
        }

        return new HeadPass(sums with { Loss = value }, rowGradient);
    }

    public HeadPass Differentiate(TokenBatch batch, Tensor rows, IDistributionLoss loss, FlatGradient gradient)
    {
        var pass = new HeadPass(default, zeros_like(rows));
        for (int first = 0; first < batch.Targets.Length; first += chunk)
        {
            using var scope = NewDisposeScope();
            int count = Math.Min(chunk, batch.Targets.Length - first);
            var input = rows.narrow(0, first, count).detach().requires_grad_(true);
            var logits = nn.functional.linear(input, decoder.OutputProjection);
            float[] slopes = Evaluate(batch, first, [.. logits.detach().data<float>()], loss, ref pass);
            // Cloned into aligned memory: on some processors a product's last bits depend on where its factors lie.
            Pull(logits, tensor(slopes, [count, vocabulary]).clone(), input, pass.RowGradient.narrow(0, first, count), gradient);
        }

        return pass;
    }

    // [count, vocabulary] logits → their derivatives, and what the tokens add to the sums
    private float[] Evaluate(TokenBatch batch, int first, float[] logits, IDistributionLoss loss, ref HeadPass pass)
    {
        float[] slopes = new float[logits.Length];
        for (int i = 0; i * vocabulary < logits.Length; i++)
        {
            Span<float> row = logits.AsSpan(i * vocabulary, vocabulary), slope = slopes.AsSpan(i * vocabulary, vocabulary);
            var measured = DistributionRow.Measure(row, batch.Targets[first + i], slope, out _);
            pass = pass with { Sums = pass.Sums + (measured with { Loss = loss.Evaluate(batch.Sequences[0], first + i, row, slope) }) };
        }

        return slopes;
    }

    private void Pull(Tensor output, Tensor slopes, Tensor input, Tensor inputGradient, FlatGradient gradient)
    {
        var pulled = autograd.grad([output], [input, decoder.OutputProjection], [slopes]);
        inputGradient.copy_(pulled[0]);
        gradient.Add(offset, pulled[1].contiguous());
    }

    private Tensor LogProbabilities(Tensor rows) => nn.functional.log_softmax(nn.functional.linear(rows, decoder.OutputProjection), -1);

    private static Tensor Chosen(Tensor all, TokenBatch batch, int first, int count) =>
        all.gather(1, tensor(batch.Targets[first..(first + count)], dtype: ScalarType.Int64).unsqueeze(1)).squeeze(1);
}

/// <summary>What the head makes of one sequence.</summary>
/// <param name="RowGradient">[supervised, hidden]: gradient by what entered the head.</param>
internal readonly record struct HeadPass(PassSums Sums, Tensor RowGradient);
