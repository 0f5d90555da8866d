using System.Text;
using Distill.Evaluation;
using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting;

/// <summary>The main table of a report as plain text: for the console, and as Markdown.</summary>
/// <param name="Rows">Cells of each row, as many as the header has; <c>—</c> where nothing was measured.</param>
public sealed record ReportTable(IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>One row a model, from the teacher to the exported file; the column of votes only when votes were taken.</summary>
    public static ReportTable Of(RunReport report)
    {
        var rows = ModelNames.Sorted(report);
        bool voted = rows.Any(row => row.MajAtK is not null);
        string[] votes = voted ? ["maj@k"] : [];
        string[] header = ["model", "parameters", "greedy, 95 %", "sampled pass@1, 95 %", .. votes, "tokens", "truncated", "original → twins"];
        return new ReportTable(header, [.. rows.Select(row => Cells(report, row, voted))]);
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

    private static IReadOnlyList<string> Cells(RunReport report, EvaluationReport row, bool voted)
    {
        string share(double? value, Interval? interval) => value is not { } known
            ? ReportNumbers.NotMeasured
            : interval is { } range ? $"{ReportNumbers.Percent(known, row.Problems)} [{ReportNumbers.Range(range, row.Problems)}]" : ReportNumbers.Percent(known, row.Problems);
        string votes = row.MajAtK is { } majority ? $"{ReportNumbers.Percent(majority, row.Problems)} (k = {row.Samples})" : ReportNumbers.NotMeasured;
        return
        [
            row.Model,
            ModelNames.SizeOf(report, row.Model) is { } size ? ReportNumbers.Parameters(size.Parameters) : ReportNumbers.NotMeasured,
            share(row.Greedy, row.GreedyInterval95),
            share(row.PassAt1, row.Interval95),
            .. voted ? new[] { votes } : [],
            ReportNumbers.Tokens(row.MeanTokens),
            ReportNumbers.Percent(row.Truncated, row.Problems),
            row.Twins is { } twins
                ? $"{ReportNumbers.Number(twins.Original, twins.Problems)} → {ReportNumbers.Percent(twins.Perturbed, twins.Problems)}"
                : ReportNumbers.NotMeasured,
        ];
    }

    private static void Line(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string Escaped(string cell) =>
        cell.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
