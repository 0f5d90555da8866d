using Distill.Evaluation;

namespace Distill.Cli.Output;

/// <summary>What <c>distill evaluate</c> says, as JSON and as tables.</summary>
/// <param name="Kind"><c>onnx</c> or <c>checkpoint</c>.</param>
internal sealed record EvaluationFigures(string Kind, EvaluationReport Evaluation, EvaluationSpeed Throughput)
{
    public static EvaluationFigures Of(EvaluationResult result, string kind, TimeSpan elapsed)
    {
        double seconds = Math.Max(elapsed.TotalSeconds, 1e-6);
        var totals = result.Totals;
        return new(kind, result.Report,
            new(Math.Round(seconds, 3), totals.Completions, totals.CompletionTokens, totals.PromptTokens,
            Math.Round(totals.CompletionTokens / seconds, 1)));
    }
}

/// <summary>How fast the completions came.</summary>
internal sealed record EvaluationSpeed(double Seconds, int Completions, long CompletionTokens, long PromptTokens, double TokensPerSecond);
