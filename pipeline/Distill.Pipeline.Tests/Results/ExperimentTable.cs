using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Results;

/// <summary>Experiments of one series against its base, as Markdown: what was changed, what came of it.</summary>
internal static class ExperimentTable
{
    private const string BaseName = "base";

    private static readonly string[] Header =
        ["experiment", "changed", "runs", "problems", "greedy", "sampled", "greedy − base", "sampled − base", "training", "verdict"];

    public static string Of(IReadOnlyList<(string Name, SeedRuns Runs)> series)
    {
        var start = series.FirstOrDefault(each => each.Name == BaseName).Runs
            ?? throw new InvalidOperationException($"A series of experiments needs one called '{BaseName}' to be measured against.");
        var rows = series.OrderBy(each => each.Name != BaseName).ThenBy(each => each.Name, StringComparer.Ordinal)
            .Select(each => Row(each.Name, each.Runs, each.Name == BaseName ? null : start));
        return new ReportTable(Header, [.. rows]).ToMarkdown();
    }

    /// <summary>Null where they were asked other problems.</summary>
    public static RecipeComparison? Compare(SeedRuns before, SeedRuns after)
    {
        if (!before.Verdicts.Concat(after.Verdicts).All(each => SeedRuns.Shares(each, before.Verdicts[0]))) return null;
        if (before.Final is not { } old || after.Final is not { } current) return null;
        var resamples = MeasuredDifference.ResamplesOf(before.Problems);
        return new(Difference((each, model) => each.Greedy(model))!, Difference((each, model) => each.Sampled(model)));

        MeasuredDifference? Difference(Func<ProblemVerdicts, string, IReadOnlyList<double>?> values)
        {
            var left = before.Verdicts.Select(each => values(each, old)).ToList();
            var right = after.Verdicts.Select(each => values(each, current)).ToList();
            return left.Concat(right).Any(run => run is null) ? null
                : MeasuredDifference.Of([.. left.OfType<IReadOnlyList<double>>()], [.. right.OfType<IReadOnlyList<double>>()], resamples);
        }
    }

    private static IReadOnlyList<string> Row(string name, SeedRuns runs, SeedRuns? start)
    {
        var comparison = start is null ? null : Compare(start, runs);
        string verdict = start is null ? "" : comparison?.Verdict ?? "not comparable: other test problems";
        return
        [
            name, start is null ? "" : Changed(start, runs), ReportNumbers.Count(runs.Runs.Count), ReportNumbers.Count(runs.Problems),
            Share(runs, runs.Greedy), Share(runs, runs.Sampled), Points(comparison?.Greedy, runs.Problems),
            Points(comparison?.Sampled, runs.Problems), Training(runs), verdict,
        ];
    }

    private static string Share(SeedRuns runs, Func<string, IReadOnlyList<double>?> values) =>
        runs.Final is { } model && values(model) is { } shares
            ? $"{ReportNumbers.Percent(shares.Average(), shares.Count)} [{ReportNumbers.Range(SeedTable.IntervalOf(shares), shares.Count)}]"
            : ReportNumbers.NotMeasured;

    private static string Points(MeasuredDifference? difference, int problems) => difference is null ? ReportNumbers.NotMeasured
        : $"{ReportNumbers.Points(difference.Difference, problems)} [{ReportNumbers.PointsRange(difference.Interval95, problems)}]";

    // Where recipes are equal, the code was changed.
    private static string Changed(SeedRuns before, SeedRuns after)
    {
        string[] differences = [.. RecipeValues.Differences(before.Runs[0], after.Runs[0])];
        if (differences.Length > 0) return string.Join("; ", differences);
        string old = Version(before.Runs[0]), current = Version(after.Runs[0]);
        return old == current ? "nothing" : $"code: {old} → {current}";
    }

    private static string Version(RunReport run) => run.Machine?.Versions.GetValueOrDefault("Distill") ?? "unknown";

    // Of the students that go on from one another; what is only there to be compared with costs an application nothing.
    private static string Training(SeedRuns runs)
    {
        string[] names = [.. runs.Models.Line.Select(model => model.Name)];
        var stages = runs.Runs.SelectMany(run => run.Stages).Where(stage => names.Contains(stage.Name)).ToList();
        if (stages.Count == 0 || stages.Any(stage => stage.Seconds is null)) return ReportNumbers.NotMeasured;
        string seconds = ReportNumbers.Seconds(stages.Sum(stage => stage.Seconds!.Value) / runs.Runs.Count);
        return ReportNumbers.AtLeast(stages.Any(stage => stage.IsTimeAtLeast), seconds);
    }
}
