using Distill.Architecture;
using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// Output projection, log-softmax and their way back, some learned tokens at a time: never more than a chunk of [tokens, vocabulary]
/// exists, whatever the vocabulary. A loss that needs the log-probabilities of all tokens before it gives any derivative has the logits
/// computed twice, unless they are a single chunk. What is measured comes back once per micro-batch. One thread.
/// </summary>
/// <param name="chunkValues">Logits that may exist at once; at least one token's.</param>
internal sealed class LogitsHead(IDecoderWeights weights, IDeviceOperations operations, long chunkValues)
{
    private readonly Tensor matrix = weights.Weight(NameOf(weights.Architecture)); // [vocabulary, hidden]
    private readonly long? offset = weights.GradientOffset(NameOf(weights.Architecture));
    private readonly int chunk = (int)Math.Clamp(chunkValues / weights.Architecture.VocabularySize, 1, int.MaxValue);

    /// <param name="rows">[supervised, hidden] fp32, normed.</param>
    public RowSums Score(DeviceBatch batch, Tensor rows)
    {
        using var scope = NewDisposeScope();
        return ToHost([.. Chunks(batch).Select(part => Measured(rows, part, keep: false))]);
    }

    /// <returns>The sums, and [supervised, hidden]: gradient by the rows, in the caller's dispose scope.</returns>
    public HeadPass Differentiate(DeviceBatch batch, Tensor rows, ITokenLoss loss)
    {
        using var scope = NewDisposeScope();
        Chunk[] chunks = [.. Chunks(batch)];
        Softmax[] measured = [.. chunks.Select(part => Measured(rows, part, keep: chunks.Length == 1))];
        var sums = ToHost(measured);
        float[] derivatives = new float[sums.LogProbabilities.Length];
        double value = loss.Evaluate(batch.Tokens, sums.LogProbabilities, derivatives);
        var slopes = tensor(derivatives).to(weights.Device).unsqueeze(1);
        var gradients = chunks.Select(part =>
        {
            using var inner = NewDisposeScope();
            var softmax = chunks.Length == 1 ? measured[0] : Measured(rows, part, keep: true);
            var slope = slopes.narrow(0, part.First, part.Count);
            return Pull(softmax.Slopes(slope, part.Targets), rows, part).MoveToOuterDisposeScope();
        }).ToList();
        return new HeadPass(sums.Sums with { Loss = value }, Whole(gradients).MoveToOuterDisposeScope());
    }

    /// <inheritdoc cref="Differentiate(DeviceBatch, Tensor, ITokenLoss)"/>
    public HeadPass Differentiate(DeviceBatch batch, Tensor rows, IDistributionLoss loss)
    {
        using var scope = NewDisposeScope();
        var learned = Learned(batch.Tokens);
        var (measured, values, gradients) = (new List<Softmax>(), new List<Tensor>(), new List<Tensor>());
        foreach (var part in Chunks(batch))
        {
            using var inner = NewDisposeScope();
            var logits = Logits(rows, part);
            measured.Add(Softmax.Of(logits, part.Targets, keep: false).MoveToOuterDisposeScope());
            var (value, slopes) = loss.Evaluate(new LogitsChunk(learned[part.First..(part.First + part.Count)], logits, part.Targets));
            values.Add(value.to(ScalarType.Float64).view(1).MoveToOuterDisposeScope());
            gradients.Add(Pull(slopes, rows, part).MoveToOuterDisposeScope());
        }

        var total = cat(values).sum().to(ScalarType.Float32).view(1);
        var sums = ToHost(measured, total);
        return new HeadPass(sums.Sums, Whole(gradients).MoveToOuterDisposeScope());
    }

    private static string NameOf(DecoderArchitecture architecture) =>
        architecture.TieEmbeddings ? ParameterMap.Embedding : ParameterMap.OutputProjection;

    private static Tensor Whole(List<Tensor> parts) => parts.Count == 1 ? parts[0] : cat(parts);

    private static LearnedToken[] Learned(TokenBatch batch) =>
        [.. batch.Sequences.SelectMany(sequence =>
            Enumerable.Range(0, sequence.SupervisedCount).Select(position => new LearnedToken(sequence, position)))];

    private IEnumerable<Chunk> Chunks(DeviceBatch batch)
    {
        int learned = batch.Tokens.Targets.Length;
        for (int first = 0; first < learned; first += chunk)
        {
            int count = Math.Min(chunk, learned - first);
            yield return new Chunk(first, count, batch.Targets.narrow(0, first, count));
        }
    }

    // The logits end here, before those of the next chunk exist.
    private Softmax Measured(Tensor rows, Chunk part, bool keep)
    {
        using var scope = NewDisposeScope();
        return Softmax.Of(Logits(rows, part), part.Targets, keep).MoveToOuterDisposeScope();
    }

    private Tensor Logits(Tensor rows, Chunk part) => rows.narrow(0, part.First, part.Count).mm(matrix.t());

    // Adds the matrix's gradient; gives the rows'.
    private Tensor Pull(Tensor slopes, Tensor rows, Chunk part)
    {
        if (offset is { } place) weights.Gradient.AddProduct(place, slopes.t(), rows.narrow(0, part.First, part.Count));
        return slopes.mm(matrix);
    }

    private RowSums ToHost(IReadOnlyList<Softmax> measured, Tensor? loss = null)
    {
        Tensor Column(Func<Softmax, Tensor> of) => cat([.. measured.Select(part => of(part).view(-1))]);
        Tensor[] columns = [Column(part => part.LogProbabilities), Column(part => part.Entropies), Column(part => part.Hits)];
        float[] all = operations.ToHost(cat(loss is null ? columns : [.. columns, loss]));
        int rows = all.Length / columns.Length;
        return new RowSums(all[..rows], all[rows..(2 * rows)], all[(2 * rows)..(3 * rows)].Sum(), loss is null ? 0 : all[^1]);
    }

    /// <summary>Learned tokens whose logits exist together.</summary>
    private sealed record Chunk(int First, int Count, Tensor Targets);
}

/// <summary>What the head makes of a micro-batch.</summary>
/// <param name="RowGradient">[supervised, hidden] fp32: gradient by what entered the head.</param>
internal readonly record struct HeadPass(PassSums Sums, Tensor RowGradient);

/// <summary>What is known of each learned token of a micro-batch, in the computer's memory.</summary>
/// <param name="LogProbabilities">[supervised]</param>
/// <param name="Entropies">[supervised], in nats.</param>
internal sealed record RowSums(float[] LogProbabilities, float[] Entropies, float Hits, double Loss)
{
    public PassSums Sums => new(Loss, LogProbabilities.Sum(x => (double)x), Entropies.Sum(x => (double)x), (long)Hits);
}
