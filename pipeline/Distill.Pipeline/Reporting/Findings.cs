using Distill.Evaluation;
using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting;

/// <summary>How a finding is meant.</summary>
internal enum FindingKind
{
    Good,
    Bad,
    Open,
}

internal sealed record Finding(FindingKind Kind, string Text);

/// <summary>What the numbers of a report say, in sentences; a difference is claimed only when its interval excludes none.</summary>
internal static class Findings
{
    // Completions cut off beyond this share hide what the model would have answered.
    private const double ManyTruncated = 0.05;

    public static IReadOnlyList<Finding> Of(RunReport report)
    {
        var models = new ReportModels(report);
        return
        [
            // The exported file against its original is the headline's and the parity table's subject.
            .. report.Comparisons.Where(comparison => models.RoleOf(comparison.Model) != ModelRole.Exported)
                .SelectMany(comparison => Compared(comparison, models)),
            .. models.Rows.SelectMany(row => Twins(row, models)),
            .. models.Rows.Where(row => row.Truncated > ManyTruncated).Select(row => Truncated(row, models)),
        ];
    }

    /// <summary>
    /// The run in one sentence, e.g. <c>base 0.5 % → steps 78.4 % → RL 80.2 % (answer-only 21.0 %, teacher 97.2 %); exported file identical
    /// to the trained model</c>.
    /// </summary>
    public static string Headline(RunReport report) =>
        string.Join("; ", new[] { Path(new ReportModels(report)), Export(report) }.Where(part => part.Length > 0));

    // The way that the student went; what it is measured against beside it. The exported file repeats the last student; it has its place
    // when it is the only one measured.
    private static string Path(ReportModels models)
    {
        var way = models.Rows.Where(row => models.RoleOf(row.Model) is ModelRole.Base or ModelRole.Student && !models.IsAside(row.Model))
            .ToList();
        if (way.Count == 0) way = [.. models.Rows];
        var beside = models.Rows.Except(way).Where(row => models.RoleOf(row.Model) != ModelRole.Exported).OrderBy(row =>
            models.RoleOf(row.Model) == ModelRole.Teacher).ToList();
        return way.Count == 0 ? "no model was evaluated"
            : string.Join(" → ", way.Select(Share)) + (beside.Count == 0 ? "" : $" ({string.Join(", ", beside.Select(Share))})");

        string Share(EvaluationReport row) => $"{models.WordFor(row.Model)} {ReportNumbers.Percent(row.Greedy, row.Problems)}";
    }

    private static string Export(RunReport report) => (report.Parity, report.OnnxGreedyAnswersEqual) switch
    {
        ({ Passed: false }, _) => "exported file is NOT the trained model: the parity gate failed",
        (_, { Equal: false } answers) => $"exported file answers {ReportNumbers.Count(answers.Problems - answers.IdenticalAnswers)} of "
            + $"{ReportNumbers.Count(answers.Problems)} problems differently",
        ({ GreedyMismatches: 0 }, _) => "exported file identical to the trained model",
        ({ } parity, _) => $"exported file within its tolerance: {ReportNumbers.Count(parity.GreedyMismatches)} of "
            + $"{ReportNumbers.Count(parity.GreedyTokensCompared)} greedy tokens differ",
        (null, { }) => "exported file answers as the trained model",
        _ => "",
    };

    private static IEnumerable<Finding> Compared(ModelComparison comparison, ReportModels models)
    {
        if (comparison.Greedy is { } greedy) yield return Difference(comparison, "greedy", greedy, models);
        if (comparison.Sampled is { } sampled) yield return Difference(comparison, "sampled", sampled, models);
    }

    private static Finding Difference(ModelComparison comparison, string how, PairedBootstrap difference, ReportModels models)
    {
        int n = comparison.Problems;
        string figures = $"{ReportNumbers.Points(difference.Mean, n)} points (95 % {ReportNumbers.PointsRange(difference.Interval, n)}; "
            + $"{ReportNumbers.PInWords(difference.P)}; {ReportNumbers.Count(n)} problems)";
        string model = models.WordFor(comparison.Model), against = models.WordFor(comparison.Against);
        return (difference.Interval.Low > 0, difference.Interval.High < 0) switch
        {
            (true, _) => new Finding(FindingKind.Good, $"{model} better than {against}, {how}: {figures}"),
            (_, true) => new Finding(FindingKind.Bad, $"{model} worse than {against}, {how}: {figures}"),
            _ => new Finding(FindingKind.Open, $"{model} and {against} not told apart, {how}: {figures}"),
        };
    }

    private static IEnumerable<Finding> Twins(EvaluationReport row, ReportModels models)
    {
        if (row.Twins is not { } twins) yield break;
        var fallen = twins.ByKind.Where(kind => kind.McNemarP < 0.05 && kind.OnlyOriginal > kind.OnlyPerturbed).ToList();
        if (fallen.Count == 0) yield break;
        yield return new Finding(
            FindingKind.Bad, $"{models.WordFor(row.Model)} lower on perturbed twins: {string.Join(", ", fallen.Select(Fall))}");
    }

    private static string Fall(TwinKindReport kind) =>
        $"{kind.Kind} {ReportNumbers.Number(kind.Original, kind.Pairs)} → {ReportNumbers.Percent(kind.Perturbed, kind.Pairs)} "
        + $"({ReportNumbers.PInWords(kind.McNemarP)}; {ReportNumbers.Count(kind.Pairs)} pairs)";

    private static Finding Truncated(EvaluationReport row, ReportModels models) => new(
        FindingKind.Open,
        $"{models.WordFor(row.Model)}: {ReportNumbers.Percent(row.Truncated, row.Problems)} of the completions reached the token limit "
        + "and count as wrong");
}
