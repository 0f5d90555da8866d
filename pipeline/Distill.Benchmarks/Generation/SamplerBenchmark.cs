using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;

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
            new Series(report.ResultStatistics?.OriginalValues.Select(nanoseconds => nanoseconds / 1000) ?? throw new InvalidOperationException("BenchmarkDotNet measured nothing.")),
            "µs"))];
    }
}
