using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Student.Training;

namespace Distill.Benchmarks.Training;

internal sealed class PackingBenchmark : IBenchmark
{
    public string Name => "packing";

    public string Summary => "share of a batch's positions that carry tokens of examples";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var steps = new EpochSource(new StudentWorkload().Examples(context.Quick ? 60 : 2000), epochs: 1, batchTokens: 8192, seed: 1);
        var batches = Enumerable.Range(0, steps.Steps).Select(step => new TokenBatch(steps.At(step))).ToList();
        double carried = 0, supervised = 0, padded = 0, positions = 0;
        foreach (var batch in batches)
        {
            carried += batch.Sequences.Sum(sequence => (long)sequence.Tokens.Count - 1); // the last token is learned, not read
            supervised += batch.Targets.Length;
            positions += batch.Tokens.Length;
            padded += (double)batch.Sequences.Count * batch.Sequences.Max(sequence => sequence.Tokens.Count - 1);
        }

        return
        [
            Figure.AtLeast("positions with supervised or context tokens", 97, Series.Of(100 * carried / positions), "%",
                $"{batches.Count} steps of 8k tokens, laid end to end"),
            Figure.Plain("positions that predict a supervised token", Series.Of(100 * supervised / positions), "%"),
            Figure.Plain("the same when padded to the longest of a step", Series.Of(100 * carried / padded), "%", "for comparison"),
        ];
    }
}
