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

    public static IReadOnlyList<Finding> Of(RunReport report) =>
    [
        .. report.Comparisons.SelectMany(Compared),
        .. Against(report),
        .. ModelNames.Sorted(report).SelectMany(Twins),
        .. ModelNames.Sorted(report).Where(row => row.Truncated > ManyTruncated).Select(row => new Finding(
            FindingKind.Open,
            $"{ModelNames.Word(row.Model)}: {ReportNumbers.Percent(row.Truncated, row.Problems)} of the completions reached the token limit and count as wrong")),
    ];

    private static IEnumerable<Finding> Compared(ModelComparison comparison)
    {
        // The exported file against its original is the headline's and the parity table's subject.
        if (comparison.Model == ModelNames.Onnx) yield break;
        if (comparison.Greedy is { } greedy) yield return Difference(comparison, "greedy", greedy);
        if (comparison.Sampled is { } sampled) yield return Difference(comparison, "sampled", sampled);
    }

    private static Finding Difference(ModelComparison comparison, string how, PairedBootstrap difference)
    {
        int n = comparison.Problems;
        string figures = $"{ReportNumbers.Points(difference.Mean, n)} points (95 % {ReportNumbers.PointsRange(difference.Interval, n)}; "
            + $"{ReportNumbers.PInWords(difference.P)}; {ReportNumbers.Count(n)} problems)";
        string model = ModelNames.Word(comparison.Model), against = ModelNames.Word(comparison.Against);
        return (difference.Interval.Low > 0, difference.Interval.High < 0) switch
        {
            (true, _) => new Finding(FindingKind.Good, $"{model} better than {against}, {how}: {figures}"),
            (_, true) => new Finding(FindingKind.Bad, $"{model} worse than {against}, {how}: {figures}"),
            _ => new Finding(FindingKind.Open, $"{model} and {against} not told apart, {how}: {figures}"),
        };
    }

    private static IEnumerable<Finding> Against(RunReport report)
    {
        string[] students = [ModelNames.Onnx, ModelNames.Rl, ModelNames.Preference, ModelNames.Sft];
        var student = students.Select(name => ModelNames.Find(report, name)).FirstOrDefault(row => row is not null);
        if (student is null || ModelNames.Find(report, ModelNames.Teacher) is not { } teacher) yield break;
        if (ModelNames.SizeOf(report, student.Model) is not { Parameters: > 0 } small) yield break;
        if (ModelNames.SizeOf(report, ModelNames.Teacher) is not { } large) yield break;
        yield return new Finding(
            FindingKind.Open,
            $"{ModelNames.Word(student.Model)} has {ReportNumbers.Short((double)large.Parameters / small.Parameters)} times fewer parameters than the teacher "
            + $"and solves {ReportNumbers.Percent(student.Greedy, student.Problems)} of the problems against {ReportNumbers.Percent(teacher.Greedy, teacher.Problems)}");
    }

    private static IEnumerable<Finding> Twins(EvaluationReport row)
    {
        if (row.Twins is not { } twins) yield break;
        var fallen = twins.ByKind.Where(kind => kind.McNemarP < 0.05 && kind.OnlyOriginal > kind.OnlyPerturbed).ToList();
        if (fallen.Count == 0) yield break;
        yield return new Finding(FindingKind.Bad, $"{ModelNames.Word(row.Model)} lower on perturbed twins: {string.Join(", ", fallen.Select(Fall))}");
    }

    private static string Fall(TwinKindReport kind) =>
        $"{kind.Kind} {ReportNumbers.Number(kind.Original, kind.Pairs)} → {ReportNumbers.Percent(kind.Perturbed, kind.Pairs)} "
        + $"({ReportNumbers.PInWords(kind.McNemarP)}; {ReportNumbers.Count(kind.Pairs)} pairs)";
}
