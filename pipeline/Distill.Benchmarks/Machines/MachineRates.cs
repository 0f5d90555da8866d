using Distill.Benchmarks.Measuring;
using static TorchSharp.torch;

namespace Distill.Benchmarks.Machines;

/// <summary>What the machine gives at best, in the same run as everything else.</summary>
/// <param name="Copy">GB/s, bytes read plus bytes written, as STREAM counts.</param>
/// <param name="Read">GB/s of a sum.</param>
/// <param name="Float32">GFLOP/s of a matrix product.</param>
/// <param name="BFloat16">GFLOP/s of a matrix product.</param>
internal sealed record MachineRates(Series Copy, Series Read, Series Float32, Series BFloat16)
{
    public static MachineRates Measure(BenchmarkContext context)
    {
        using var memory = new MemoryRate(context);
        using var single = new ProductRate(context, ScalarType.Float32);
        using var half = new ProductRate(context, ScalarType.BFloat16);
        var rates = Interleaving.Run<double>(context.Rounds, memory.Copy, memory.Read, single.Measure, half.Measure);
        return new MachineRates(new(rates[0]), new(rates[1]), new(rates[2]), new(rates[3]));
    }
}

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

/// <summary>Square matrix products through libtorch, with all cores. Dispose it.</summary>
internal sealed class ProductRate : IDisposable
{
    private readonly BenchmarkContext context;
    private readonly Tensor left;
    private readonly Tensor right;
    private readonly int repeats;

    public ProductRate(BenchmarkContext context, ScalarType type)
    {
        this.context = context;
        int size = SizeOf(context);
        repeats = context.Quick ? 1 : 4;
        var generator = new Generator(1);
        // constants cost less power
        (left, right) = (randn([size, size], type, generator: generator), randn([size, size], type, generator: generator));
    }

    public static int SizeOf(BenchmarkContext context) => context.Quick ? 256 : 2048;

    /// <summary>GFLOP/s.</summary>
    public double Measure()
    {
        set_num_threads(Environment.ProcessorCount);
        double size = left.shape[0];
        return 2e-9 * size * size * size * repeats / context.Seconds(() =>
        {
            for (int i = 0; i < repeats; i++) left.mm(right).Dispose();
        });
    }

    public void Dispose()
    {
        left.Dispose();
        right.Dispose();
    }
}

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
