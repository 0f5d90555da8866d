using Distill.Benchmarks.Machines;
using Distill.Benchmarks.Measuring;
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

/// <summary>Runs the chosen benchmarks one after another and makes one table of them.</summary>
internal static class BenchmarkSession
{
    public static string Run(BenchmarkOptions options, IReadOnlyList<IBenchmark> all, TimeProvider clock, Action<string> log)
    {
        using var context = new BenchmarkContext(options, clock, log);
        var rows = new List<(string, Figure)>();
        foreach (var benchmark in all.Where(benchmark => options.Names.Contains(benchmark.Name)))
        {
            log($"{benchmark.Name}: {benchmark.Summary}");
            foreach (var figure in Run(benchmark, context))
            {
                log("  " + Line(figure));
                rows.Add((benchmark.Name, figure));
            }
        }

        return ResultTable.Write(MachineDescription.Read(clock), context.Machine, options.Quick, rows);
    }

    private static IReadOnlyList<Figure> Run(IBenchmark benchmark, BenchmarkContext context)
    {
        try
        {
            return benchmark.Run(context);
        }
        catch (WorkloadAbsentException absent)
        {
            return [Figure.NotApplicable("everything", "", absent.Message)];
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            context.Log(fault.ToString());
            return [Figure.Failed(fault)]; // what the others took minutes to measure must not be lost
        }
    }

    private static string Line(Figure figure) => figure.Outcome switch
    {
        Outcome.NotApplicable => $"{figure.What}: not measured, {figure.Note}",
        Outcome.Unjudged => $"{figure.What}: {figure.MeasuredText} {figure.Unit}",
        _ => $"{figure.What}: {figure.MeasuredText} {figure.Unit} ({figure.Target}: {figure.Outcome})",
    };
}
