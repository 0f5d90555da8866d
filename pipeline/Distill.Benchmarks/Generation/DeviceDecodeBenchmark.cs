using Distill.Benchmarks.Measuring;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;

namespace Distill.Benchmarks.Generation;

/// <summary>
/// What it costs on the processor to keep cache, logits and sampling in libtorch's memory, where nothing is gained by it: the code of a
/// card, held against the host's own.
/// </summary>
internal sealed class DeviceDecodeBenchmark : IBenchmark
{
    public string Name => "device-decode";

    private const int Compared = 8, Tokens = 24;

    public string Summary => "tokens/s at 1, 8 and 32 slots with cache, logits and sampling in libtorch's memory, on the processor";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        using var host = context.Large.Load();
        using var torch = TorchTokenModel.Load(ModelFolder.Open(context.Large.OnnxFolder), new OnnxModelOptions());
        return
        [
            .. Compare(context, host, torch, 1, "temperature 1", new SamplingOptions { Temperature = 1 }),
            .. Compare(context, host, torch, 8, "temperature 1", new SamplingOptions { Temperature = 1 }),
            .. Compare(context, host, torch, 32, "temperature 1", new SamplingOptions { Temperature = 1 }),
            .. Compare(context, host, torch, 32, "greedy", SamplingOptions.Greedy),
            .. Compare(context, host, torch, 32, "top-k 20, top-p 0.95", new() { Temperature = 0.6, TopK = 20, TopP = 0.95 }),
            .. Agreement(context, host, torch),
        ];
    }

    private static Figure[] Agreement(BenchmarkContext context, ITokenModel host, ITokenModel torch)
    {
        SamplingOptions[] samplings =
        [
            SamplingOptions.Greedy, new() { Temperature = 1 }, new() { Temperature = 0.6, TopK = 20, TopP = 0.95 },
            new() { Temperature = 1, TopP = 0.9 },
        ];
        GenerationRequest[] requests = [.. Enumerable.Range(0, context.Quick ? 1 : Compared).Select(i => new GenerationRequest
        {
            Prompt = DecodeRun.PromptOf(host, i), MaxNewTokens = Tokens, SamplingBySeed = samplings, Seeds = [0, 1, 2, 3],
        })];
        var expected = new BatchGenerator(host, slots: 8).Complete(requests).SelectMany(row => row).ToList();
        var actual = new BatchGenerator(torch, slots: 8).Complete(requests).SelectMany(row => row).ToList();
        int same = expected.Zip(actual).Count(pair => pair.First.Tokens.SequenceEqual(pair.Second.Tokens));
        int[] text = [.. Enumerable.Range(0, 8).SelectMany(i => DecodeRun.PromptOf(host, i))];
        using TokenScorer own = new(host, 512), other = new(torch, 512);
        double difference = own.Score(text).LogProbabilities.Zip(other.Score(text).LogProbabilities, (a, b) => Math.Abs(a - b)).Max();
        return
        [
            Figure.Plain("completions with the host's tokens", Series.Of(100.0 * same / expected.Count), "%",
                $"of {expected.Count}, {Tokens} tokens each, greedy and sampled with the same random numbers"),
            Figure.Plain("largest difference of a given token's log-probability", Series.Of(difference), "nats",
                "sums of exponentials by fp32 blocks against float64 throughout"),
        ];
    }

    private static IEnumerable<Figure> Compare(
        BenchmarkContext context, ITokenModel host, ITokenModel torch, int slots, string how, SamplingOptions sampling)
    {
        int steps = context.Quick ? 4 : slots == 32 ? 16 : 48;
        var runs = Interleaving.Run(
            context.Rounds, () => Rate(context, host, slots, steps, sampling), () => Rate(context, torch, slots, steps, sampling));
        Series own = Series.Of(runs[0], rate => rate), other = Series.Of(runs[1], rate => rate);
        yield return Figure.Plain($"{slots} slots, {how}: host", own, "tokens/s");
        yield return Figure.Plain($"{slots} slots, {how}: libtorch's memory", other, "tokens/s");
        yield return Figure.Plain($"{slots} slots, {how}: libtorch's memory ÷ host", other.Over(own), "×");
    }

    /// <summary>Tokens per second of the steps in which every slot is busy; prompts left out.</summary>
    private static double Rate(BenchmarkContext context, ITokenModel model, int slots, int steps, SamplingOptions sampling)
    {
        var requests = Enumerable.Range(0, slots).Select(i => new GenerationRequest
        {
            Prompt = DecodeRun.PromptOf(model, i), MaxNewTokens = steps + 2, Sampling = sampling, Seeds = [(ulong)i],
        }).ToList();
        long start = 0, end = 0, first = 0, last = 0;
        new BatchGenerator(model, slots: slots).Run(requests, (_, _, _) => { }, progress =>
        {
            if (progress.Prefills < slots || progress.Completions > 0) return;
            if (start == 0) (start, first) = (context.Clock.GetTimestamp(), progress.RowSteps);
            (end, last) = (context.Clock.GetTimestamp(), progress.RowSteps);
        });
        return (last - first) / context.Clock.GetElapsedTime(start, end).TotalSeconds;
    }
}
