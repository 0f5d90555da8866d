using System.Text;
using Distill.Evaluation;
using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting;

/// <summary>The main table of a report as plain text: for the console, and as Markdown.</summary>
/// <param name="Rows">Cells of each row, as many as the header has; <c>—</c> where nothing was measured.</param>
internal sealed record ReportTable(IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>One row a model, from the teacher to the exported file; the column of votes only when votes were taken.</summary>
    public static ReportTable Of(RunReport report)
    {
        var models = new ReportModels(report);
        bool voted = models.Rows.Any(row => row.MajAtK is not null);
        string[] votes = voted ? ["maj@k"] : [];
        string[] header =
            ["model", "parameters", "greedy, 95 %", "sampled pass@1, 95 %", .. votes, "tokens", "truncated", "original → twins"];
        return new ReportTable(header, [.. models.Rows.Select(row => Cells(models, row, voted))]);
    }

    /// <summary>A GitHub table, numbers to the right. Names cannot break out of their cell.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        Line(text, Header.Select(Escaped));
        Line(text, Header.Select((_, column) => column == 0 ? "---" : "---:"));
        foreach (var row in Rows) Line(text, row.Select(Escaped));
        return text.ToString();
    }

    private static IReadOnlyList<string> Cells(ReportModels models, EvaluationReport row, bool voted)
    {
        string votes = row.MajAtK is { } majority
            ? $"{ReportNumbers.Percent(majority, row.Problems)} (k = {row.Samples})" : ReportNumbers.NotMeasured;
        return
        [
            row.Model,
            models.SizeOf(row.Model) is { } size ? ReportNumbers.Parameters(size.Parameters) : ReportNumbers.NotMeasured,
            Share(row.Greedy, row.GreedyInterval95, row.Problems),
            Share(row.PassAt1, row.Interval95, row.Problems),
            .. voted ? new[] { votes } : [],
            ReportNumbers.Tokens(row.MeanTokens),
            ReportNumbers.Percent(row.Truncated, row.Problems),
            row.Twins is { } twins
                ? $"{ReportNumbers.Number(twins.Original, twins.Problems)} → {ReportNumbers.Percent(twins.Perturbed, twins.Problems)}"
                : ReportNumbers.NotMeasured,
        ];
    }

    private static string Share(double? value, Interval? interval, int problems) => (value, interval) switch
    {
        ({ } known, { } range) => $"{ReportNumbers.Percent(known, problems)} [{ReportNumbers.Range(range, problems)}]",
        ({ } known, null) => ReportNumbers.Percent(known, problems),
        _ => ReportNumbers.NotMeasured,
    };

    private static void Line(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string Escaped(string cell) =>
        cell.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
