using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Export;
using Distill.Pipeline.Models;

namespace Distill.Benchmarks.Generation;

internal sealed class RaggedLoadBenchmark : IBenchmark
{
    private const int Slots = 32;

    public string Name => "ragged-load";

    public string Summary => "completions of 16 to 512 tokens on the tiny student: slots kept busy, against fixed batches";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var student = new StudentWorkload();
        var architecture = student.Architecture with { MaxPositions = 2 * RaggedLoad.Longest };
        using var parameters = student.Parameters(architecture);
        using var server = new OnnxPolicyServer(architecture, ServedModel.Options(architecture.ParameterCount * sizeof(float)));
        using var model = server.Serve(parameters);
        int count = context.Quick ? 2 * Slots : 8 * Slots;
        var load = new RaggedLoad(model, count);
        var busy = default(BusyShare);
        var seconds = Interleaving.Run<double>(
            context.Rounds, () => context.Seconds(() => busy = load.RunContinuous(model, Slots)), () => context.Seconds(() => load.RunFixedBatches(model, Slots)));
        Series continuous = new(seconds[0].Select(value => load.Tokens / value)), batches = new(seconds[1].Select(value => load.Tokens / value));
        return
        [
            Figure.AtLeast("slot-steps busy while requests wait", 95, Series.Of(100 * busy.WhileWaiting), "%", $"{count} requests, {Slots} slots, logarithmically even lengths, {load.Tokens / count} on average"),
            Figure.Plain("slot-steps busy, end included", Series.Of(100 * busy.WholeRun), "%", "at the end nothing is left to fill slots with; a step then runs fewer rows"),
            Figure.Plain("continuous batching", continuous, "tokens/s", "one thread"),
            Figure.Plain("fixed batches run to completion", batches, "tokens/s", "one thread; tokens asked for are counted"),
            Figure.AtLeast("continuous ÷ fixed batches", 2, continuous.Over(batches), "×"),
        ];
    }
}
