using Distill.Generation;

namespace Distill.Benchmarks.Generation;

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
