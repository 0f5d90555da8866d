using Distill.Benchmarks.Measuring;

namespace Distill.Benchmarks.Exporting;

internal sealed class ExportBenchmark : IBenchmark
{
    private const double Megabyte = 1e6;

    public string Name => "export";

    public string Summary => "seconds and peak memory of exporting the large model in fp32";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        var checkpoint = context.Large.RequireCheckpoint();
        var probes = Interleaving.Run<ExportProbe>(context.Quick ? 1 : 5, () => ExportProbe.Start(checkpoint.Folder))[0];
        return
        [
            Figure.AtMost("read checkpoint, write model folder", 3, Series.Of(probes, probe => probe.ReadSeconds + probe.WriteSeconds), "s", $"{context.Large.Name}; a process of its own, its start left out"),
            Figure.Plain("of which reading", Series.Of(probes, probe => probe.ReadSeconds), "s"),
            Figure.Plain("of which writing, flushed to disk, digests included", Series.Of(probes, probe => probe.WriteSeconds), "s"),
            Memory("peak memory beyond the weights", probes, probe => probe.WritePeakBytes, "while writing; .NET itself included"),
            Memory("peak memory beyond the weights, reading included", probes, probe => probe.WholePeakBytes, "from the start of the process"),
        ];
    }

    private static Figure Memory(string what, IReadOnlyList<ExportProbe> probes, Func<ExportProbe, long> peak, string note)
    {
        const double limit = 300;
        if (probes.Any(probe => peak(probe) < 0)) return Figure.NotApplicable(what, $"≤ {limit}", "the system does not tell the peak");
        return Figure.AtMost(what, limit, Series.Of(probes, probe => (peak(probe) - probe.WeightBytes) / Megabyte), "MB", note);
    }
}
