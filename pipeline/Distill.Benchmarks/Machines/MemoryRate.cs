using static TorchSharp.torch;

namespace Distill.Benchmarks.Machines;

/// <summary>Moves blocks far larger than any cache, with all cores. Dispose it.</summary>
internal sealed class MemoryRate : IDisposable
{
    private readonly BenchmarkContext context;
    private readonly Tensor source;
    private readonly Tensor target;
    private readonly int repeats;

    public MemoryRate(BenchmarkContext context)
    {
        this.context = context;
        long values = BlockBytes(context) / sizeof(float);
        repeats = context.Quick ? 1 : 4;
        (source, target) = (ones([values], ScalarType.Float32), zeros([values], ScalarType.Float32));
    }

    /// <summary>Size of a block.</summary>
    public static long BlockBytes(BenchmarkContext context) => (context.Quick ? 64L : 512L) << 20;

    private double Bytes => (double)source.numel() * sizeof(float) * repeats;

    /// <summary>GB/s, read plus written.</summary>
    public double Copy()
    {
        set_num_threads(Environment.ProcessorCount);
        return 2e-9 * Bytes / context.Seconds(() =>
        {
            for (int i = 0; i < repeats; i++) target.copy_(source);
        });
    }

    /// <summary>GB/s.</summary>
    public double Read()
    {
        set_num_threads(Environment.ProcessorCount);
        return 1e-9 * Bytes / context.Seconds(() =>
        {
            for (int i = 0; i < repeats; i++) source.sum().Dispose();
        });
    }

    public void Dispose()
    {
        source.Dispose();
        target.Dispose();
    }
}
