using Distill.Evaluation;
using Distill.Generation;

namespace Distill.Cli.Output;

/// <summary>What <c>distill evaluate</c> says, as JSON and as tables.</summary>
/// <param name="Kind"><c>onnx</c> or <c>checkpoint</c>.</param>
internal sealed record EvaluationFigures(string Kind, EvaluationReport Evaluation, EvaluationSpeed Throughput)
{
    public static EvaluationFigures Of(EvaluationResult result, string kind, TimeSpan elapsed) =>
        new(kind, result.Report, EvaluationSpeed.Of(result.Totals, elapsed));
}

/// <summary>How fast the completions came.</summary>
internal sealed record EvaluationSpeed(double Seconds, int Completions, long CompletionTokens, long PromptTokens, double TokensPerSecond)
{
    public static EvaluationSpeed Of(GenerationProgress totals, TimeSpan elapsed)
    {
        double seconds = Math.Max(elapsed.TotalSeconds, 1e-6);
        return new(Math.Round(seconds, 3), totals.Completions, totals.CompletionTokens, totals.PromptTokens, Math.Round(totals.CompletionTokens / seconds, 1));
    }
}
