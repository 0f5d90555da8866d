using System.Runtime.CompilerServices;
using Distill.Data.Traces;
using Distill.Storage;
using Parquet;
using Parquet.Schema;

namespace Distill.Data.Curation;

/// <summary>Scores as a Parquet file of four columns: problem_id, sample_index, mean_logprob, tokens. Thread-safe.</summary>
internal static class LearnabilityFile
{
    private static readonly DataField Problem = new("problem_id", typeof(string), false), Sample = new("sample_index", typeof(int), false),
        Mean = new("mean_logprob", typeof(float), false), Tokens = new("tokens", typeof(int), false);

    private static readonly ParquetSchema Schema = new(Problem, Sample, Mean, Tokens);

    /// <summary>Commits the scores of one part of the traces, which continued work takes again.</summary>
    public static ArtifactFile Write(ArtifactWriter artifact, string name, IReadOnlyList<LearnabilityScore> scores) => artifact.WritePart(
        name, stream => WriteAsync(stream, scores).GetAwaiter().GetResult(), stream => CountAsync(stream).GetAwaiter().GetResult());

    /// <exception cref="InvalidDataException">Not such a file, or a damaged one; names file and reason.</exception>
    public static IEnumerable<LearnabilityScore> Read(string path) => ReadAsync(path).ToBlockingEnumerable();

    private static async Task WriteAsync(Stream stream, IReadOnlyList<LearnabilityScore> scores)
    {
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd };
        var writer = await ParquetWriter.CreateAsync(Schema, stream, options).ConfigureAwait(false);
        await using (writer.ConfigureAwait(false))
        {
            using var group = writer.CreateRowGroup();
            ReadOnlyMemory<ReadOnlyMemory<char>> ids = scores.Select(score => score.ProblemId.AsMemory()).ToArray();
            await group.WriteAsync(Problem, ids, null, null).ConfigureAwait(false);
            await group.WriteAsync<int>(Sample, scores.Select(score => score.SampleIndex).ToArray(), null, null).ConfigureAwait(false);
            await group.WriteAsync<float>(Mean, scores.Select(score => score.MeanLogProbability).ToArray(), null, null)
                .ConfigureAwait(false);
            await group.WriteAsync<int>(Tokens, scores.Select(score => score.Tokens).ToArray(), null, null).ConfigureAwait(false);
            group.CompleteValidate();
        }
    }

    private static async Task<long> CountAsync(Stream stream)
    {
        await using var reader = await ParquetReader.CreateAsync(stream, null, true).ConfigureAwait(false);
        return Enumerable.Range(0, reader.RowGroupCount).Sum(i => reader.RowGroups[i].RowCount);
    }

    private static async IAsyncEnumerable<LearnabilityScore> ReadAsync(
        string path, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        foreach (var score in await AllAsync(path, stream, cancellation).ConfigureAwait(false)) yield return score;
    }

    // A part has a few thousand rows, so it is read whole.
    private static async Task<List<LearnabilityScore>> AllAsync(string path, Stream stream, CancellationToken cancellation)
    {
        try
        {
            var scores = new List<LearnabilityScore>();
            await using var reader = await ParquetReader.CreateAsync(stream, null, true, cancellation).ConfigureAwait(false);
            var leaves = ((DataField[])[Problem, Sample, Mean, Tokens])
                .Select(wanted => reader.Schema.DataFields.First(leaf => leaf.Name == wanted.Name)).ToArray();
            for (int i = 0; i < reader.RowGroupCount; i++)
            {
                using var group = reader.OpenRowGroupReader(i);
                using var ids = await RawColumn.ReadAsync<ReadOnlyMemory<char>>(group, leaves[0], cancellation).ConfigureAwait(false);
                using var samples = await RawColumn.ReadAsync<int>(group, leaves[1], cancellation).ConfigureAwait(false);
                using var means = await RawColumn.ReadAsync<float>(group, leaves[2], cancellation).ConfigureAwait(false);
                using var tokens = await RawColumn.ReadAsync<int>(group, leaves[3], cancellation).ConfigureAwait(false);
                for (int row = 0; row < group.RowCount; row++)
                    scores.Add(new(ids.Values[row].ToString(), samples.Values[row], means.Values[row], tokens.Values[row]));
            }

            return scores;
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // Parquet.Net meets damage with exceptions of many kinds; all of them mean that this file is bad.
            throw new InvalidDataException(Printable.Of($"Cannot read scores from '{path}': {fault.Message.TrimEnd('.')}."), fault);
        }
    }
}
