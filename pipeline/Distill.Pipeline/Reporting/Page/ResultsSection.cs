using Distill.Evaluation;
using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting.Plots;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>The main table, and the same shares as bars.</summary>
internal static class ResultsSection
{
    private static readonly string[] Header =
        ["model", "parameters", "greedy", "sampled pass@1", "maj@k", "mean tokens", "truncated", "original", "twins"];

    public static Html Of(ReportModels models)
    {
        var rows = models.Rows;
        return rows.Count == 0 ? Html.Empty : Parts.Section("Results", Note(rows), Html.Of($"""
            {Parts.Table(Header, rows.Select(row => Row(models, row)))}
            <div class="plots">
            <figure><figcaption>Problems solved</figcaption>
            {Parts.Legend([("", "s0", "greedy"), ("", "s1", "sampled"), ("", "whiskers", "95 % interval")])}
            {BarPlot.Of("Share of problems solved by each model", [.. rows.Select(row => Solved(models, row))])}</figure>
            {Html.If(rows.Any(row => row.Twins is not null), () => Html.Of($"""
                <figure><figcaption>Originals and their perturbed twins (greedy)</figcaption>
                {Parts.Legend([("", "s0", "original"), ("", "s1", "twins"), ("", "whiskers", "95 % interval")])}
                {BarPlot.Of("Share of originals and of their twins solved by each model",
                    [.. rows.Select(row => Perturbed(models, row))])}</figure>
                """))}
            </div>
            """));
    }

    private static string Note(IReadOnlyList<EvaluationReport> rows) =>
        $"Held-out problems: {Distinct(rows, row => row.Problems)}; samples per problem: {Distinct(rows, row => row.Samples)}. "
        + "Ranges are 95 % intervals over problems. "
        + "Greedy: one answer, the likeliest token each time. Sampled pass@1: mean over answers drawn from the model. "
        + "Truncated completions count as wrong.";

    private static string Distinct(IReadOnlyList<EvaluationReport> rows, Func<EvaluationReport, int> count) =>
        string.Join(" or ", rows.Select(count).Distinct().Select(value => ReportNumbers.Count(value)));

    private static Html Row(ReportModels models, EvaluationReport row)
    {
        var size = models.SizeOf(row.Model);
        Html[] cells =
        [
            size is null ? Parts.Absent : Size(size),
            Parts.Share(row.Greedy, row.GreedyInterval95, row.Problems),
            Parts.Share(row.PassAt1, row.Interval95, row.Problems),
            row.MajAtK is { } votes ? Votes(votes, row) : Parts.Absent,
            Parts.Cell(ReportNumbers.Tokens(row.MeanTokens)),
            Parts.Share(row.Truncated, row.Problems),
            Parts.Share(row.Twins?.Original, row.Twins?.OriginalInterval95, row.Twins?.Problems ?? 0),
            Parts.Share(row.Twins?.Perturbed, row.Twins?.PerturbedInterval95, row.Twins?.Problems ?? 0),
        ];
        return Parts.Row(Html.Of($"{Parts.Model(row.Model, models)}<small>{models.MeaningOf(row.Model)}</small>"), cells);
    }

    private static Html Votes(double votes, EvaluationReport row) =>
        Html.Of($"<td>{ReportNumbers.Percent(votes, row.Problems)}<small>k = {row.Samples}</small></td>");

    private static Html Size(ModelSize size) => Html.Of($"""
        <td title="{ReportNumbers.Count(size.Parameters)}">{ReportNumbers.Parameters(size.Parameters)}
        <small>{ReportNumbers.Bytes(size.Bytes)}</small></td>
        """);

    private static BarGroup Solved(ReportModels models, EvaluationReport row) => new(row.Model, models.ColorOf(row.Model),
    [
        Bar(row.Model, "greedy", row.Greedy, row.GreedyInterval95, row.Problems),
        Bar(row.Model, "sampled", row.PassAt1, row.Interval95, row.Problems),
    ]);

    private static BarGroup Perturbed(ReportModels models, EvaluationReport row) => new(row.Model, models.ColorOf(row.Model),
    [
        Bar(row.Model, "original", row.Twins?.Original, row.Twins?.OriginalInterval95, row.Twins?.Problems ?? 0),
        Bar(row.Model, "twins", row.Twins?.Perturbed, row.Twins?.PerturbedInterval95, row.Twins?.Problems ?? 0),
    ]);

    private static Bar? Bar(string model, string what, double? share, Interval? interval, int problems)
    {
        if (share is not { } known || interval is not { } range) return null;
        string text = ReportNumbers.Percent(known, problems);
        return new Bar(known, range, text,
            $"{model}, {what}: {text}, 95 % {ReportNumbers.Range(range, problems)}, {ReportNumbers.Count(problems)} problems");
    }
}
