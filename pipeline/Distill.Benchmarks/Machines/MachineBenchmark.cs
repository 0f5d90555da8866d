using Distill.Benchmarks.Measuring;

namespace Distill.Benchmarks.Machines;

internal sealed class MachineBenchmark : IBenchmark
{
    public string Name => "machine";

    public string Summary => "copy and read bandwidth, fp32 and bf16 matrix products, all cores";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        long block = MemoryRate.BlockBytes(context) >> 20;
        int size = ProductRate.SizeOf(context);
        return
        [
            Figure.Plain("copy bandwidth", context.Machine.Copy, "GB/s", $"bytes read plus written, blocks of {block} MiB"),
            Figure.Plain("read bandwidth", context.Machine.Read, "GB/s", $"sum over {block} MiB"),
            Figure.Plain("matrix product, fp32", context.Machine.Float32, "GFLOP/s", $"{size} × {size} × {size}"),
            Figure.Plain("matrix product, bf16", context.Machine.BFloat16, "GFLOP/s", $"{size} × {size} × {size}"),
        ];
    }
}
