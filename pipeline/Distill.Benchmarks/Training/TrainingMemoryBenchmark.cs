using Distill.Benchmarks.Measuring;

namespace Distill.Benchmarks.Training;

/// <summary>Memory of a training against its prediction, two sizes, fused passes and autograd.</summary>
internal sealed class TrainingMemoryBenchmark : IBenchmark
{
    private const double Tolerance = 0.2, MegaByte = 1e6;

    public string Name => "training-memory";

    public string Summary => "peak memory of a training against the prediction from its shapes";

    public IReadOnlyList<Figure> Run(BenchmarkContext context) => [.. (context.Quick ? MemoryProbe.Cases.Take(1) : MemoryProbe.Cases).Select(Measure)];

    private static Figure Measure(string name)
    {
        string what = $"{name}, relative difference of prediction and measurement";
        double predicted = MemoryProbe.Predict(name).Total, measured = MemoryProbe.Start(name);
        return measured < 0
            ? Figure.NotApplicable(what, "", "the system does not tell a process's peak memory")
            : Figure.AtMost(what, Tolerance, Series.Of(Math.Abs(predicted / measured - 1)), "", $"predicted {predicted / MegaByte:N0} MB, measured {measured / MegaByte:N0} MB");
    }
}
