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
