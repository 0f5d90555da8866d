using Distill.Student.Training;
using static TorchSharp.torch;

namespace Distill.Student.Distillation;

/// <summary>What the teacher thought at the tokens of a chunk, on the logits' device.</summary>
/// <param name="Chunk">Tokens of <see cref="TeacherSequence"/>s with equally many alternatives.</param>
/// <param name="Ids">[rows, k] int64.</param>
/// <param name="LogProbabilities">[rows, k] fp64, at temperature 1.</param>
internal sealed record TeacherChunk(LogitsChunk Chunk, Tensor Ids, Tensor LogProbabilities)
{
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

    private static int TopOf(LearnedToken token) => ((TeacherSequence)token.Sequence).Top;

    private static LogitsChunk Part(LogitsChunk chunk, int start, int end) => end - start == chunk.Rows.Count ? chunk
        : new([.. chunk.Rows.Take(start..end)], chunk.Logits.narrow(0, start, end - start), chunk.Targets.narrow(0, start, end - start));

    private static TeacherChunk Of(LogitsChunk chunk, int k)
    {
        int[] ids = new int[chunk.Rows.Count * k];
        float[] logProbabilities = new float[ids.Length];
        foreach (var (row, token) in chunk.Rows.Index())
        {
            var labels = (TeacherSequence)token.Sequence;
            labels.IdsAt(token.Position).CopyTo(ids.AsSpan(row * k));
            labels.LogProbabilitiesAt(token.Position).CopyTo(logProbabilities.AsSpan(row * k));
        }

        long[] shape = [chunk.Rows.Count, k];
        var device = chunk.Logits.device;
        return new(
            chunk, tensor(ids, shape).to(device).to(ScalarType.Int64), tensor(logProbabilities, shape).to(device).to(ScalarType.Float64));
    }
}
