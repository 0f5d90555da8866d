using System.Numerics.Tensors;
using Distill.Student.Training;

namespace Distill.Student.Fused;

/// <summary>
/// Shares sequences out among replicas and packs each one's into micro-batches. Sequences with the same prompt stay together, because they
/// then read it once. Depends on prompts and lengths alone. Immutable, thread-safe.
/// </summary>
/// <param name="capacity">Most tokens of a micro-batch.</param>
/// <param name="maxPositions">Longest sequence the model reads.</param>
internal sealed class BatchDistribution(int replicas, int capacity, int maxPositions)
{
    // Sequences of one prompt are split up where they would be more than this part of a replica's work: a copy of the prompt costs less
    // than a thread that waits.
    private const int PiecesPerReplica = 4;

    /// <returns>Each replica's micro-batches, in order.</returns>
    /// <exception cref="ArgumentException">A sequence is longer than a micro-batch or the model allows, or supervises nothing.</exception>
    public IReadOnlyList<TokenBatch>[] Parts(IReadOnlyList<TrainingSequence> sequences)
    {
        int longest = Math.Min(capacity, maxPositions);
        if (sequences.FirstOrDefault(sequence => sequence.Tokens.Count > longest) is { } tooLong)
            throw new ArgumentException(
                $"A sequence of {tooLong.Tokens.Count} tokens exceeds the {longest} that the micro-batch capacity and the model's "
                + $"positions allow.");
        var parts = Enumerable.Range(0, replicas).Select(_ => new List<Piece>()).ToArray();
        long[] loads = new long[replicas];
        foreach (var piece in Pieces(sequences).OrderByDescending(piece => piece.Tokens)) // longest first, each to whom has least
        {
            int least = Array.IndexOf(loads, loads.Min());
            parts[least].Add(piece);
            loads[least] += piece.Tokens;
        }

        return [.. parts.Select(MicroBatches)];
    }

    private List<Piece> Pieces(IReadOnlyList<TrainingSequence> sequences)
    {
        var pieces = new List<Piece>();
        double most = Math.Max(1, (double)TokenBatch.TokensOf(sequences) / (PiecesPerReplica * replicas));
        foreach (var group in sequences.GroupBy(sequence => sequence, PromptComparer.Instance))
        {
            double tokens = TokenBatch.TokensOf([.. group]), enough = tokens / Math.Max(1, Math.Round(tokens / most));
            var piece = new Piece();
            foreach (var sequence in group)
            {
                if (piece.Tokens >= enough || piece.Tokens + piece.Added(sequence) > capacity)
                {
                    pieces.Add(piece);
                    piece = new Piece();
                }

                piece.Add(sequence);
            }

            pieces.Add(piece);
        }

        return pieces;
    }

    private List<TokenBatch> MicroBatches(List<Piece> pieces) =>
        [.. BestFitPacking.Pack([.. pieces.Select(piece => piece.Tokens)], capacity)
        .Select(bin => new TokenBatch([.. bin.SelectMany(index => pieces[index].Sequences)]))];

    /// <summary>Sequences with one prompt.</summary>
    private sealed class Piece
    {
        private readonly List<TrainingSequence> sequences = [];

        public IReadOnlyList<TrainingSequence> Sequences => sequences;

        public int Tokens { get; private set; }

        public int Added(TrainingSequence sequence) => sequence.SupervisedCount - 1 + (sequences.Count == 0 ? sequence.FirstSupervised : 0);

        public void Add(TrainingSequence sequence)
        {
            Tokens += Added(sequence);
            sequences.Add(sequence);
        }
    }
}

/// <summary>What is reported of one predicted distribution, whatever loss is taken of it.</summary>
internal static class DistributionRow
{
    /// <param name="logits">[vocabulary], left as they are.</param>
    /// <param name="work">[vocabulary], overwritten.</param>
    /// <returns>Loss is left at 0.</returns>
    public static PassSums Measure(ReadOnlySpan<float> logits, int target, Span<float> work, out float logProbability)
    {
        float largest = TensorPrimitives.Max(logits);
        TensorPrimitives.Subtract(logits, largest, work);
        TensorPrimitives.Exp<float>(work, work);
        float total = TensorPrimitives.Sum<float>(work), logTotal = MathF.Log(total);
        logProbability = logits[target] - largest - logTotal;
        double entropy = logTotal + largest - TensorPrimitives.Dot(work, logits) / total;
        return new PassSums(0, logProbability, entropy, logits[target] == largest ? 1 : 0);
    }
}
