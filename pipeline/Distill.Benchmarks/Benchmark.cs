using Distill.Benchmarks.Exporting;
using Distill.Benchmarks.Generation;
using Distill.Benchmarks.Machines;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Peers;
using Distill.Benchmarks.Runs;
using Distill.Benchmarks.Training;
using Distill.Benchmarks.Verifying;

namespace Distill.Benchmarks;

/// <summary>One measurement of the design's figures. A new one is a class and one line in <see cref="BenchmarkList"/>.</summary>
internal interface IBenchmark
{
    /// <summary>As on the command line.</summary>
    string Name { get; }

    /// <summary>One line for <c>list</c>.</summary>
    string Summary { get; }

    IReadOnlyList<Figure> Run(BenchmarkContext context);
}

/// <summary>Every benchmark, in the order of <c>all</c>.</summary>
internal static class BenchmarkList
{
    public static IReadOnlyList<IBenchmark> All { get; } =
    [
        new MachineBenchmark(),
        new VerificationBenchmark(),
        new SamplerBenchmark(),
        new PackingBenchmark(),
        new TrainingStepBenchmark(),
        new AutogradBenchmark(),
        new WideStepBenchmark(),
        new GroupRelativeStepBenchmark(),
        new RolloutRateBenchmark(),
        new RealTrainingBenchmark(),
        new MixedTrainingBenchmark(),
        new TrainingMemoryBenchmark(),
        new RaggedLoadBenchmark(),
        new DecodeBenchmark(),
        new ConstraintBenchmark(),
        new DeviceDecodeBenchmark(),
        new PrefillBenchmark(),
        new ChatsBenchmark(),
        new PeerBenchmark(),
        new LlamaBenchmark(),
        new ExportBenchmark(),
        new ParityBenchmark(),
        new PipelineBenchmark(),
        new StoreBenchmark(),
        new HubBenchmark(),
        new FleetBenchmark(),
        new PageBenchmark(),
        new ServeBenchmark(),
    ];
}
