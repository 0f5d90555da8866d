using Distill.Benchmarks.Machines;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;

namespace Distill.Benchmarks;

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
