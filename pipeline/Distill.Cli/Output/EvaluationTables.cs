using Distill.Evaluation;
using Distill.Evaluation.Statistics;

namespace Distill.Cli.Output;

/// <summary>An evaluation for people: by domain, then the twins, then how it came about.</summary>
internal static class EvaluationTables
{
    public static void Show(EvaluationFigures figures, ResultWriter results)
    {
        var report = figures.Evaluation;
        results.Line($"{report.Model} ({figures.Kind}): {report.Problems:N0} problems, each answered greedily{(report.Samples > 0 ? $" and {report.Samples} times by chance" : "")}");
        ByDomain(report, results);
        if (report.Twins is { } twins) ByTwin(twins, results);
        results.Line($"tokens   {report.MeanTokens:F1} per completion, {Readable.Share(report.Truncated)} cut off at the limit, {Readable.Share(report.Undecidable)} without a readable answer");
        var speed = figures.Throughput;
        results.Line($"speed    {speed.TokensPerSecond:N0} tokens/s, {speed.Completions:N0} completions in {Readable.Duration(TimeSpan.FromSeconds(speed.Seconds))}");
    }

    private static void ByDomain(EvaluationReport report, ResultWriter results)
    {
        var rows = report.ByDomain.Select(domain =>
            Row(domain.Domain, domain.Problems, domain.Greedy, domain.GreedyInterval95, domain.PassAt1, domain.Interval95, domain.MajAtK))
            .ToList();
        if (rows.Count > 1)
            rows.Add(
                Row("all", report.Problems, report.Greedy, report.GreedyInterval95, report.PassAt1, report.Interval95, report.MajAtK));
        int columns = report.Samples > 1 ? 7 : report.Samples > 0 ? 6 : 4;
        string[] header = ["domain", "problems", "greedy", "95 %", "pass@1", "95 %", $"maj@{report.Samples}"];
        results.Table(header[..columns], rows.Select(row => row[..columns]));
    }

    private static string[] Row(string name, int problems, double greedy, Interval greedyRange, double? sampled, Interval? range,
        double? vote) =>
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
