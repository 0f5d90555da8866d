using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Generation;

namespace Distill.Benchmarks.Generation;

internal sealed class SamplerBenchmark : IBenchmark
{
    public string Name => "sampler";

    public string Summary => "choosing one token from 49k";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        using var artefacts = new TemporaryFolder();
        // In this process: another one would need a build of its own, with its copies of the native libraries.
        var job = (context.Quick ? Job.Dry : Job.ShortRun.WithIterationCount(9)).WithToolchain(InProcessEmitToolchain.Instance);
        var configuration = ManualConfig.CreateEmpty().AddJob(job).AddLogger(NullLogger.Instance).WithArtifactsPath(artefacts.Path);
        return [.. BenchmarkRunner.Run<SamplerKernels>(configuration).Reports.Select(report => Figure.Plain(
            report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\''),
            new Series(report.ResultStatistics?.OriginalValues.Select(nanoseconds => nanoseconds / 1000)
                ?? throw new InvalidOperationException("BenchmarkDotNet measured nothing.")),
            "µs"))];
    }
}

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
