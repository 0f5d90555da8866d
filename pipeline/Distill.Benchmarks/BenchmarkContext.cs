using Distill.Benchmarks.Machines;
using Distill.Benchmarks.Workloads;

namespace Distill.Benchmarks;

/// <summary>What the benchmarks of one process run share: sizes, the clock, the machine's rates, the large model. Dispose it.</summary>
internal sealed class BenchmarkContext : IDisposable
{
    private readonly Lazy<MachineRates> machine;
    private readonly Lazy<LargeModel> large;

    public BenchmarkContext(BenchmarkOptions options, TimeProvider clock, Action<string> log)
    {
        Quick = options.Quick;
        Clock = clock;
        Log = log;
        machine = new(() => MachineRates.Measure(this));
        large = new(() => LargeModel.Open(options.ModelFolder));
    }

    /// <summary>Sizes that only show that everything runs; the figures mean nothing.</summary>
    public bool Quick { get; }

    public int Rounds => Quick ? 1 : 7;

    public TimeProvider Clock { get; }

    public Action<string> Log { get; }

    /// <summary>Measured once, by whoever asks first.</summary>
    public MachineRates Machine => machine.Value;

    /// <summary>Opened, and exported where it is a checkpoint, by whoever asks first.</summary>
    /// <exception cref="WorkloadAbsentException">There is no such model; says why.</exception>
    public LargeModel Large => large.Value;

    public double Seconds(Action work)
    {
        long began = Clock.GetTimestamp();
        work();
        return Clock.GetElapsedTime(began).TotalSeconds;
    }

    public void Dispose()
    {
        if (large.IsValueCreated) large.Value.Dispose();
    }
}
