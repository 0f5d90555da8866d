using System.Text;
using Distill.Evaluation;

namespace Distill.Pipeline.Reporting;

/// <summary>The main table, one row a model, as text: for the console, for Markdown, and for the page.</summary>
public sealed record ReportTable(IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    public static ReportTable Of(RunReport report)
    {
        int samples = report.Evaluations.Select(row => row.Samples).DefaultIfEmpty().Max();
        string[] header =
        [
            "model", "parameters", "greedy % [95 %]", "sampled pass@1 % [95 %]", samples > 1 ? $"maj@{samples} %" : "maj@k %", "tokens", "cut off %", "original → twins %",
        ];
        return new ReportTable(header, [.. report.Evaluations.Select(row => Row(report, row))]);
    }

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        void Line(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
        Line(Header);
        Line(Header.Select((_, column) => column == 0 ? "---" : "---:"));
        foreach (var row in Rows) Line(row);
        return text.ToString();
    }

    private static string[] Row(RunReport report, EvaluationReport row) =>
    [
        row.Model,
        report.Models.FirstOrDefault(model => model.Model == row.Model) is { } size ? ReportFormat.Count(size.Parameters) : ReportFormat.Absent,
        ReportFormat.Percent(row.Greedy, row.GreedyInterval95),
        ReportFormat.Percent(row.PassAt1, row.Interval95),
        ReportFormat.Percent(row.MajAtK),
        ReportFormat.Number(row.MeanTokens, "0"),
        ReportFormat.Percent(row.Truncated),
        row.Twins is { } twins ? $"{ReportFormat.Percent(twins.Original)} → {ReportFormat.Percent(twins.Perturbed)}" : ReportFormat.Absent,
    ];
}
