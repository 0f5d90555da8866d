using Distill.Benchmarks.Measuring;

namespace Distill.Benchmarks;

/// <summary>One measurement of the design's figures. A new one is a class and one line in <see cref="BenchmarkList"/>.</summary>
internal interface IBenchmark
{
    /// <summary>As on the command line.</summary>
    string Name { get; }

    /// <summary>One line for <c>list</c>.</summary>
    string Summary { get; }

    IReadOnlyList<Figure> Run(BenchmarkContext context);
}
