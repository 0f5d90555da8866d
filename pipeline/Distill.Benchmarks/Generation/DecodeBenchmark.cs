using Distill.Benchmarks.Machines;
using Distill.Benchmarks.Measuring;
using Distill.Generation;

namespace Distill.Benchmarks.Generation;

internal sealed class DecodeBenchmark : IBenchmark
{
    private const int Samples = 8;

    public string Name => "decode";

    public string Summary => "tokens/s of the large model at 1, 8 and 32 slots; overhead of the engine; samples of one prompt";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        using var loaded = context.Large.Load();
        using var model = new TimedTokenModel(loaded, context.Clock);
        var ((copy, read), one, eight, many) = Measure(context, model);
        Series Reached(Series bandwidth) =>
            Rate(one).Over(bandwidth.Select(rate => 1e9 * rate / context.Large.WeightBytes)).Select(share => 100 * share);
        Series Rate(IReadOnlyList<DecodeRun> runs) => Series.Of(runs, run => run.TokensPerSecond);
        return
        [
            Figure.Plain("1 slot", Rate(one), "tokens/s", $"{context.Large.Name}, {context.Large.WeightBytes / 1e6:F0} MB of weights"),
            Figure.Plain("8 slots", Rate(eight), "tokens/s"),
            Figure.Plain("32 slots", Rate(many), "tokens/s"),
            Figure.AtLeast("1 slot ÷ (copy bandwidth ÷ weight bytes)", 85, Reached(copy), "%",
                "copy counts bytes read plus written; may exceed 100, decoding only reads"),
            Figure.Plain("1 slot ÷ (read bandwidth ÷ weight bytes)", Reached(read), "%", "the tighter roof"),
            Figure.AtLeast("32 slots ÷ 1 slot", 10, Rate(many).Over(Rate(one)), "×"),
            Figure.AtMost("scheduling and sampling at 32 slots, share of decoding", 5, Series.Of(many, run => 100 * run.OutsideShare), "%",
                $"vocabulary {model.VocabularySize:N0}, temperature 1; bindings are made once and lie inside the backend's time"),
            .. SamplesOfOnePrompt(context, model),
        ];
    }

    private static ((Series Copy, Series Read) Memory, IReadOnlyList<DecodeRun> One, IReadOnlyList<DecodeRun> Eight,
        IReadOnlyList<DecodeRun> Many) Measure(
        BenchmarkContext context, TimedTokenModel model)
    {
        using var memory = new MemoryRate(context);
        int steps = context.Quick ? 4 : 64;
        var memoryRates = new List<(double Copy, double Read)>();
        var runs = Interleaving.Run<DecodeRun>(
            context.Rounds,
            () =>
            {
                memoryRates.Add((memory.Copy(), memory.Read())); // beside the run that is held against it
                return DecodeRun.Measure(context, model, 1, steps);
            },
            () => DecodeRun.Measure(context, model, 8, steps),
            () => DecodeRun.Measure(context, model, 32, context.Quick ? 2 : steps / 2));
        var counted = memoryRates.Skip(1).ToList();
        return ((Series.Of(counted, rates => rates.Copy), Series.Of(counted, rates => rates.Read)), runs[0], runs[1], runs[2]);
    }

    private static Figure[] SamplesOfOnePrompt(BenchmarkContext context, TimedTokenModel model)
    {
        var request = new GenerationRequest
        {
            Prompt = DecodeRun.PromptOf(model, 1),
            MaxNewTokens = context.Quick ? 2 : 16,
            Sampling = new SamplingOptions { Temperature = 1 },
            Seeds = [.. Enumerable.Range(0, Samples).Select(seed => (ulong)seed)],
        };
        var progress = new BatchGenerator(model, slots: Samples).Run([request], (_, _, _) => { });
        return
        [
            Figure.Exactly($"prefills for {Samples} samples of one prompt", 1, Series.Of(progress.Prefills), ""),
            Figure.Exactly($"cache copies for {Samples} samples of one prompt", Samples - 1, Series.Of(progress.Copies), ""),
        ];
    }
}

/// <summary>What one run of the generator took, prompts and sessions left out.</summary>
/// <param name="TokensPerSecond">Sampled by steps; the first token of a completion comes from its prompt.</param>
/// <param name="OutsideShare">Share of the decoding time that was not spent inside the backend: scheduling and sampling.</param>
internal sealed record DecodeRun(double TokensPerSecond, double OutsideShare)
{
    /// <summary>Fills every slot with a prompt of its own and decodes all of them for so many steps, at temperature 1.</summary>
    public static DecodeRun Measure(BenchmarkContext context, TimedTokenModel model, int slots, int steps)
    {
        var requests = Enumerable.Range(0, slots).Select(i => new GenerationRequest
        {
            Prompt = PromptOf(model, i),
            MaxNewTokens = steps + 1,
            Sampling = new SamplingOptions { Temperature = 1 },
            Seeds = [(ulong)i],
        }).ToList();
        var generator = new BatchGenerator(model, slots: slots);
        var progress = default(GenerationProgress);
        model.TakeTimes();
        double all = context.Seconds(() => progress = generator.Run(requests, (_, _, _) => { }));
        var times = model.TakeTimes();
        double decoding = all - times.Opening - times.Prefilling;
        return new DecodeRun(progress.RowSteps / decoding, (decoding - times.Stepping - times.Copying) / decoding);
    }

    /// <summary>Ragged, 17 to 48 tokens: which tokens they are does not matter to speed.</summary>
    public static int[] PromptOf(ITokenModel model, int index) =>
        [.. Enumerable.Range(0, 17 + (index * 7 % 32)).Select(i => (int)((100 + (i * 7919L) + (index * 104_729L)) % model.VocabularySize))];
}
