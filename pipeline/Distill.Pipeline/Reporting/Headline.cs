namespace Distill.Pipeline.Reporting;

/// <summary>A run in one sentence.</summary>
public static class Headline
{
    /// <summary>E.g. <c>base 0.5 % → answer-only 21.0 % → steps 78.4 % → RL 80.2 %; exported file identical to the trained model</c>.</summary>
    public static string Of(RunReport report) => string.Join("; ", new[] { Path(report), Export(report) }.Where(part => part.Length > 0));

    // The exported file repeats the last student; it has its place when it is the only one measured.
    private static string Path(RunReport report)
    {
        var students = ModelNames.Sorted(report).Where(row => row.Model is not (ModelNames.Teacher or ModelNames.Onnx)).ToList();
        if (students.Count == 0) students = [.. ModelNames.Sorted(report)];
        return students.Count == 0
            ? "no model was evaluated"
            : string.Join(" → ", students.Select(row => $"{ModelNames.Word(row.Model)} {ReportNumbers.Percent(row.Greedy, row.Problems)}"));
    }

    private static string Export(RunReport report) => (report.Parity, report.OnnxGreedyAnswersEqual) switch
    {
        ({ Passed: false }, _) => "exported file is NOT the trained model: the parity gate failed",
        (_, { Equal: false } answers) =>
            $"exported file answers {ReportNumbers.Count(answers.Problems - answers.IdenticalAnswers)} of {ReportNumbers.Count(answers.Problems)} problems differently",
        ({ GreedyMismatches: 0 }, _) => "exported file identical to the trained model",
        ({ } parity, _) => "exported file within its tolerance: "
            + $"{ReportNumbers.Count(parity.GreedyMismatches)} of {ReportNumbers.Count(parity.GreedyTokensCompared)} greedy tokens differ",
        (null, { }) => "exported file answers as the trained model",
        _ => "",
    };
}
