using Distill.Evaluation;

namespace Distill.Pipeline.Reporting;

/// <summary>What a run showed, in one sentence of figures.</summary>
internal static class ReportVerdict
{
    public static string Of(RunReport report)
    {
        var parts = new List<string>();
        string[] order = ["base", "answer-only", "sft", "rl", "onnx"];
        var rows = order.Select(name => report.Evaluations.FirstOrDefault(row => row.Model == name)).OfType<EvaluationReport>().ToList();
        if (rows.Count > 0) parts.Add("Greedy: " + string.Join(" → ", rows.Select(row => $"{row.Model} {ReportFormat.Percent(row.Greedy)} %")));
        if (report.Evaluations.FirstOrDefault(row => row.Model == "teacher") is { } teacher) parts.Add($"the teacher solves {ReportFormat.Percent(teacher.Greedy)} %{SizeRatio(report)}");
        if (report.Parity is { } parity) parts.Add(parity.Passed ? "the exported file is the trained model" : "the exported file is not the trained model");
        return parts.Count == 0 ? "Nothing was evaluated." : string.Join("; ", parts) + ".";
    }

    private static string SizeRatio(RunReport report)
    {
        long teacher = Parameters(report, "teacher"), student = Parameters(report, "onnx");
        return teacher > 0 && student > 0 ? $" with {ReportFormat.Number((double)teacher / student, "0.0")} times the parameters" : "";
    }

    private static long Parameters(RunReport report, string model) => report.Models.FirstOrDefault(size => size.Model == model)?.Parameters ?? 0;
}
