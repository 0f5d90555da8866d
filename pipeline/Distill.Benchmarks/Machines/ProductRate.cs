using static TorchSharp.torch;

namespace Distill.Benchmarks.Machines;

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
        (left, right) = (randn([size, size], type, generator: generator), randn([size, size], type, generator: generator)); // constants cost less power
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
