using Distill.Evaluation;
using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting;

/// <summary>
/// What a reader takes away who reads nothing else: whether distillation worked, what the steps are worth, what each further training did,
/// what the exported file is. A difference is claimed only where its interval excludes none.
/// </summary>
internal static class Lessons
{
    private const ulong BootstrapSeed = 1;

    /// <summary>One sentence each; what was not measured is left out.</summary>
    public static IReadOnlyList<Finding> Of(RunReport report)
    {
        var models = new ReportModels(report);
        return [.. Distillation(report, models), .. Steps(report, models), .. Later(report, models), .. Exported(report)];
    }

    /// <summary>The student that is used in the end: the exported file, else the last that was trained; null without any.</summary>
    internal static EvaluationReport? Final(ReportModels models) =>
        models.Rows.LastOrDefault(row => models.RoleOf(row.Model) == ModelRole.Exported) ?? models.Trained
            .Where(model => !model.IsAside).Select(model => models.RowOf(model.Name)).LastOrDefault(row => row is not null);

    /// <summary>How much of the way from base to teacher a model has gone; null where that was not measured.</summary>
    internal static RecoveredShare? Recovered(RunReport report, ReportModels models, string student) =>
        models.RowOf(ModelRole.Base) is { } start && models.RowOf(ModelRole.Teacher) is { } teacher
        && report.Verdicts is { } verdicts && verdicts.Greedy(start.Model) is { } before && verdicts.Greedy(teacher.Model) is { } above
        && verdicts.Greedy(student) is { } reached ? RecoveredShare.Of(before, above, reached, BootstrapSeed) : null;

    private static IEnumerable<Finding> Distillation(RunReport report, ReportModels models)
    {
        if (Final(models) is not { } student) yield break;
        var start = models.RowOf(ModelRole.Base);
        var teacher = models.RowOf(ModelRole.Teacher);
        string before = start is null ? "" : $"; before the training it solved {Solved(start)}";
        string above = teacher is null ? "" : $"; the teacher{Smaller(models, student, teacher)} solves {Solved(teacher)}";
        string text = $"Distillation: of {ReportNumbers.Count(student.Problems)} held-out problems the student solves {Solved(student)}"
            + $"{before}{above}.";
        var recovered = Recovered(report, models, student.Model);
        if (recovered is not null)
        {
            text += $" That is {ReportNumbers.Percent(recovered.Share, student.Problems)} "
                + $"({ReportNumbers.Range(recovered.Interval95, student.Problems)}) of the way from where it started to the teacher.";
        }

        yield return new Finding(KindOf(recovered?.Interval95), text);
    }

    private static string Smaller(ReportModels models, EvaluationReport student, EvaluationReport teacher) =>
        models.SizeOf(student.Model) is { Parameters: > 0 } small && models.SizeOf(teacher.Model) is { } large
            ? $", {ReportNumbers.Short((double)large.Parameters / small.Parameters)} times as large," : "";

    private static string Solved(EvaluationReport row) =>
        $"{ReportNumbers.Percent(row.Greedy, row.Problems)} ({ReportNumbers.Range(row.GreedyInterval95, row.Problems)})";

    // The same student trained on the same problems without the steps.
    private static IEnumerable<Finding> Steps(RunReport report, ReportModels models)
    {
        if (models.Line is not [var steps, ..]) yield break;
        foreach (var comparison in report.Comparisons.Where(each => each.Model == steps.Name && models.IsAside(each.Against)))
        {
            if (Told(comparison) is { Length: > 0 } told)
                yield return new Finding(Kind(comparison),
                    $"Steps: the student {Meaning(models, comparison.Model)}, against the same one {Meaning(models, comparison.Against)}: "
                    + $"{told}.");
        }
    }

    private static string Meaning(ReportModels models, string model) =>
        models.MeaningOf(model) is { Length: > 0 } meaning ? meaning : models.WordFor(model);

    // Each further training against the one it went on from.
    private static IEnumerable<Finding> Later(RunReport report, ReportModels models)
    {
        foreach (var (before, after) in models.Line.Zip(models.Line.Skip(1)))
        {
            var comparison = report.Comparisons.FirstOrDefault(each => each.Model == after.Name && each.Against == before.Name);
            if (comparison is not null && Told(comparison) is { Length: > 0 } told)
                yield return new Finding(Kind(comparison), $"{after.Word}, on top of {before.Word}: {told}.");
        }
    }

    private static IEnumerable<Finding> Exported(RunReport report)
    {
        string answers = report.OnnxGreedyAnswersEqual switch
        {
            { Equal: true } all => $"answers all {ReportNumbers.Count(all.Problems)} test problems and twins as the trained model does",
            { } some => $"answers {ReportNumbers.Count(some.Problems - some.IdenticalAnswers)} of {ReportNumbers.Count(some.Problems)} "
                + "test problems and twins differently than the trained model",
            null => "",
        };
        if (report.Parity is { Passed: false })
            yield return new Finding(FindingKind.Bad, "Exported file: it is NOT the trained model, so it is not to be used.");
        else if (answers.Length > 0)
            yield return new Finding(
                report.OnnxGreedyAnswersEqual!.Equal ? FindingKind.Good : FindingKind.Open, $"Exported file: {answers}.");
    }

    // Both measures: a training can raise what is sampled and leave or cost the greedy answers.
    private static string Told(ModelComparison comparison) => string.Join("; ", new[]
    {
        Told("greedy answers", comparison.Greedy, comparison.Problems), Told("sampled answers", comparison.Sampled, comparison.Problems),
    }.Where(part => part.Length > 0));

    private static string Told(string what, PairedBootstrap? difference, int problems) => difference is null ? ""
        : $"{what} {Verdict(difference.Interval)}, {ReportNumbers.Points(difference.Mean, problems)} points "
            + $"({ReportNumbers.PointsRange(difference.Interval, problems)})";

    private static string Verdict(Interval interval) => interval switch
    {
        { Low: > 0 } => "better",
        { High: < 0 } => "worse",
        _ => "no different as far as can be told",
    };

    private static FindingKind Kind(ModelComparison comparison)
    {
        Interval?[] both = [comparison.Greedy?.Interval, comparison.Sampled?.Interval];
        if (both.Any(interval => interval?.High < 0)) return FindingKind.Bad;
        return both.Any(interval => interval?.Low > 0) ? FindingKind.Good : FindingKind.Open;
    }

    private static FindingKind KindOf(Interval? recovered) => recovered switch
    {
        { Low: > 0 } => FindingKind.Good,
        { High: < 0 } => FindingKind.Bad,
        _ => FindingKind.Open,
    };
}
