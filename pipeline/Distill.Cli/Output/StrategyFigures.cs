using Distill.Evaluation.Strategies;

namespace Distill.Cli.Output;

/// <summary>What <c>distill evaluate --strategy</c> says, as JSON and as a table.</summary>
/// <param name="Kind"><c>onnx</c> or <c>checkpoint</c>.</param>
internal sealed record StrategyFigures(
    string Kind, string Model, string Strategy, int Problems, IReadOnlyList<StrategyLevel> Levels, EvaluationSpeed Throughput)
{
    public static StrategyFigures Of(StrategyReport report, string kind, TimeSpan elapsed) => new(
        kind, report.Model, report.Strategy, report.Problems, report.Levels, EvaluationSpeed.Of(report.Totals, elapsed));
}
