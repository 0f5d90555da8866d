using Distill.Evaluation;
using Distill.Evaluation.Statistics;
using Distill.Evaluation.Strategies;
using Distill.Generation;

namespace Distill.Cli.Output;

/// <summary>
/// What <c>distill evaluate</c> says: for machines as it is, for people by domain, then the twins, then how it came about.
/// </summary>
/// <param name="Kind"><c>onnx</c> or <c>checkpoint</c>.</param>
internal sealed record EvaluationFigures(string Kind, EvaluationReport Evaluation, EvaluationSpeed Throughput)
{
    public static EvaluationFigures Of(EvaluationResult result, string kind, TimeSpan elapsed) =>
        new(kind, result.Report, EvaluationSpeed.Of(result.Totals, elapsed));

    public void Show(ResultWriter results)
    {
        string sampled = Evaluation.Samples > 0 ? $" and {Evaluation.Samples} times by chance" : "";
        results.Line($"{Evaluation.Model} ({Kind}): {Evaluation.Problems:N0} problems, each answered greedily{sampled}");
        ByDomain(results);
        if (Evaluation.Twins is { } twins) ByTwin(twins, results);
        results.Line($"tokens   {Evaluation.MeanTokens:F1} per completion, {Readable.Share(Evaluation.Truncated)} cut off at the limit, "
            + $"{Readable.Share(Evaluation.Undecidable)} without a readable answer");
        results.Line(Throughput.ToString());
    }

    private void ByDomain(ResultWriter results)
    {
        var all = Evaluation;
        List<string[]> rows = [.. all.ByDomain.Select(domain => Row(
            domain.Domain, domain.Problems, domain.Greedy, domain.GreedyInterval95, domain.PassAt1, domain.Interval95, domain.MajAtK))];
        if (rows.Count > 1)
            rows.Add(Row("all", all.Problems, all.Greedy, all.GreedyInterval95, all.PassAt1, all.Interval95, all.MajAtK));
        int columns = all.Samples > 1 ? 7 : all.Samples > 0 ? 6 : 4;
        string[] header = ["domain", "problems", "greedy", "95 %", "pass@1", "95 %", $"maj@{all.Samples}"];
        results.Table(header[..columns], rows.Select(row => row[..columns]));
    }

    private static string[] Row(
        string name, int problems, double greedy, Interval greedyRange, double? sampled, Interval? range, double? vote) =>
        [name, $"{problems:N0}", Readable.Share(greedy), Readable.Range(greedyRange), Readable.Share(sampled), Readable.Range(range),
            Readable.Share(vote)];

    private static void ByTwin(TwinReport twins, ResultWriter results)
    {
        var rows = twins.ByKind
            .Select(kind => (string[])[kind.Kind, $"{kind.Pairs:N0}", Readable.Share(kind.Original), Readable.Share(kind.Perturbed),
                Readable.Range(kind.PerturbedInterval95), $"{kind.McNemarP:G2}"])
            .Append([$"all ({twins.Problems:N0} problems)", $"{twins.Twins:N0}", Readable.Share(twins.Original),
                Readable.Share(twins.Perturbed), Readable.Range(twins.PerturbedInterval95), Readable.None]);
        results.Table(["twins", "pairs", "originals", "twins", "95 %", "p"], rows);
    }
}

/// <summary>What <c>distill evaluate --strategy</c> says: accuracy against tokens spent.</summary>
/// <param name="Kind"><c>onnx</c> or <c>checkpoint</c>.</param>
internal sealed record StrategyFigures(
    string Kind, string Model, string Strategy, int Problems, IReadOnlyList<StrategyLevel> Levels, EvaluationSpeed Throughput)
{
    public static StrategyFigures Of(StrategyReport report, string kind, TimeSpan elapsed) => new(
        kind, report.Model, report.Strategy, report.Problems, report.Levels, EvaluationSpeed.Of(report.Totals, elapsed));

    public void Show(ResultWriter results)
    {
        results.Line($"{Model} ({Kind}): {Problems:N0} problems, {Strategy}");
        results.Table(["", "tokens", "solved", "95 %", "gain", "95 %", "p"], Levels.Select(Row));
        if (Strategy == BestOfN.ByVerifier.Name)
            results.Line("chosen by the verifier, which knows the reference answer: what no way of choosing can beat");
        results.Line(Throughput.ToString());
    }

    private static string[] Row(StrategyLevel level) =>
        [level.Name, $"{level.MeanTokens:F1}", Readable.Share(level.Accuracy), Readable.Range(level.Interval95),
            Readable.Share(level.Gain), Readable.Range(level.GainInterval95), level.P is { } p ? $"{p:G2}" : Readable.None];
}

/// <summary>How fast the completions came.</summary>
internal sealed record EvaluationSpeed(double Seconds, int Completions, long CompletionTokens, long PromptTokens, double TokensPerSecond)
{
    public static EvaluationSpeed Of(GenerationProgress totals, TimeSpan elapsed)
    {
        double seconds = Math.Max(elapsed.TotalSeconds, 1e-6);
        return new(Math.Round(seconds, 3), totals.Completions, totals.CompletionTokens, totals.PromptTokens,
            Math.Round(totals.CompletionTokens / seconds, 1));
    }

    public override string ToString() =>
        $"speed    {TokensPerSecond:N0} tokens/s, {Completions:N0} completions in {Readable.Duration(TimeSpan.FromSeconds(Seconds))}";
}
