using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Distillation;

/// <summary>What a teacher thought at each learned token of a sequence: its best tokens, best first.</summary>
internal interface ITeacherLabels
{
    /// <summary>k: alternatives per learned token.</summary>
    int Top { get; }

    /// <param name="position">Place among the learned tokens, from 0.</param>
    /// <returns>[k]</returns>
    ReadOnlySpan<int> IdsAt(int position);

    /// <returns>[k], at temperature 1.</returns>
    /// <inheritdoc cref="IdsAt"/>
    ReadOnlySpan<float> LogProbabilitiesAt(int position);
}

/// <summary>The same kept for a sequence that is made anew with every step. Immutable.</summary>
/// <param name="Top">k.</param>
/// <param name="Ids">[learned × k], best first.</param>
/// <param name="LogProbabilities">[learned × k], at temperature 1.</param>
internal sealed record TeacherAlternatives(int Top, int[] Ids, float[] LogProbabilities) : ITeacherLabels
{
    public ReadOnlySpan<int> IdsAt(int position) => Ids.AsSpan(position * Top, Top);

    public ReadOnlySpan<float> LogProbabilitiesAt(int position) => LogProbabilities.AsSpan(position * Top, Top);
}

/// <summary>What the teacher thought at the tokens of a chunk, on the logits' device.</summary>
/// <param name="Chunk">Tokens of sequences with <see cref="ITeacherLabels"/> equally many of each.</param>
/// <param name="Ids">[rows, k] int64.</param>
/// <param name="LogProbabilities">[rows, k] fp64, at temperature 1.</param>
internal sealed record TeacherChunk(LogitsChunk Chunk, Tensor Ids, Tensor LogProbabilities)
{
    /// <param name="weight">Factor of value and gradient.</param>
    /// <returns>A divergence at all tokens of a chunk; in the caller's dispose scope.</returns>
    public static ChunkLoss Evaluate(TopTokenDivergence divergence, LogitsChunk chunk, double weight)
    {
        ChunkLoss[] parts = [.. PartsOf(chunk)
            .Select(part => TopTokenChunk.Of(divergence, part.Ids, part.LogProbabilities, part.Chunk.Logits, weight))];
        return parts is [var all] ? all : new ChunkLoss(
            stack(parts.Select(part => part.Value)).sum(), cat([.. parts.Select(part => part.Gradient)], 0));
    }

    /// <returns>Neighbouring tokens whose teacher gave equally many alternatives; in the caller's dispose scope.</returns>
    public static IEnumerable<TeacherChunk> PartsOf(LogitsChunk chunk)
    {
        for (int start = 0, end; start < chunk.Rows.Count; start = end)
        {
            int k = TopOf(chunk.Rows[start]);
            for (end = start + 1; end < chunk.Rows.Count && TopOf(chunk.Rows[end]) == k;) end++;
            yield return Of(Part(chunk, start, end), k);
        }
    }

    private static int TopOf(LearnedToken token) => ((ITeacherLabels)token.Sequence).Top;

    private static LogitsChunk Part(LogitsChunk chunk, int start, int end) => end - start == chunk.Rows.Count ? chunk
        : new([.. chunk.Rows.Take(start..end)], chunk.Logits.narrow(0, start, end - start), chunk.Targets.narrow(0, start, end - start));

    private static TeacherChunk Of(LogitsChunk chunk, int k)
    {
        int[] ids = new int[chunk.Rows.Count * k];
        float[] logProbabilities = new float[ids.Length];
        foreach (var (row, token) in chunk.Rows.Index())
        {
            var labels = (ITeacherLabels)token.Sequence;
            labels.IdsAt(token.Position).CopyTo(ids.AsSpan(row * k));
            labels.LogProbabilitiesAt(token.Position).CopyTo(logProbabilities.AsSpan(row * k));
        }

        long[] shape = [chunk.Rows.Count, k];
        var device = chunk.Logits.device;
        return new(
            chunk, tensor(ids, shape).to(device).to(ScalarType.Int64), tensor(logProbabilities, shape).to(device).to(ScalarType.Float64));
    }
}
