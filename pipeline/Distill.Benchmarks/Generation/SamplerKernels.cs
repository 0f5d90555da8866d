using BenchmarkDotNet.Attributes;
using Distill.Generation;

namespace Distill.Benchmarks.Generation;

/// <summary>One token chosen from a vocabulary of 49,152, the way the options ask for. Run by BenchmarkDotNet.</summary>
public class SamplerKernels
{
    private const int Vocabulary = 49_152;

    private readonly Sampler sampler = new(Vocabulary);
    private readonly float[] logits = new float[Vocabulary];

    [GlobalSetup]
    public void Fill()
    {
        var random = new RandomStream(1);
        // About the spread of a real model: a few likely tokens and a long tail.
        for (int i = 0; i < logits.Length; i++) logits[i] = (float)(-8 * Math.Log(1e-9 + random.NextDouble()) / 4);
    }

    [Benchmark(Description = "greedy")]
    public TokenChoice Greedy() => sampler.Choose(logits, SamplingOptions.Greedy, default, 0.5);

    [Benchmark(Description = "temperature 1")]
    public TokenChoice Raw() => sampler.Choose(logits, Temperature1, default, 0.5);

    [Benchmark(Description = "temperature 0.7, top-p 0.95")]
    public TokenChoice Nucleus() => sampler.Choose(logits, NucleusOptions, default, 0.5);

    private static SamplingOptions Temperature1 { get; } = new() { Temperature = 1 };

    private static SamplingOptions NucleusOptions { get; } = new() { Temperature = 0.7, TopP = 0.95 };
}
