using Distill.Evaluation.Statistics;
using Distill.Pipeline.OnPolicy;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Results;

/// <summary>What students learned from completions of their own, beside what the preflight said of it, as Markdown.</summary>
internal static class OnPolicyTable
{
    /// <summary>Settings that a preflight judged: a row each, and how often it was right.</summary>
    public static string Settings(IReadOnlyList<(string Name, SeedRuns Runs)> series)
    {
        string[] header =
        [
            "setting", "start → teacher, greedy", "start → teacher, sampled", "preflight", "greedy − start", "sampled − start",
            "what came of it", "preflight right",
        ];
        var settings = series.Select(each => (each.Name, Lesson: new OnPolicyLesson(each.Runs))).ToList();
        int right = settings.Count(each => each.Lesson.IsRight), helped = settings.Count(each => each.Lesson.Helped);
        int problems = settings[0].Lesson.Runs.Problems;
        return new ReportTable(header, [.. settings.Select(each => Row(each.Name, each.Lesson))]).ToMarkdown()
            + $"\n{ReportNumbers.Count(problems)} held-out problems each. Distillation helped in {helped} of {settings.Count} settings, "
            + $"and the preflight was right in {right}.\n";
    }

    /// <summary>How much of the distance from the start to the teacher was closed, and with how many tokens.</summary>
    public static string Distances(IReadOnlyList<(string Name, SeedRuns Runs)> series)
    {
        string[] header =
        [
            "learned from", "runs", "tokens written, a run", "greedy: start → after", "teacher", "closed", "sampled: start → after",
            "teacher", "closed",
        ];
        var lessons = series.Select(each => (each.Name, Lesson: new OnPolicyLesson(each.Runs))).ToList();
        return new ReportTable(header, [.. lessons.Select(each => DistanceRow(each.Name, each.Lesson))]).ToMarkdown()
            + $"\n{ReportNumbers.Count(lessons[0].Lesson.Runs.Problems)} held-out problems. "
            + "\"Closed\" is (after − start) / (teacher − start). Brackets are 95 % intervals over problems, of which each counts once "
            + "with its mean over the runs. Tokens are those of the completions that were learned from.\n";
    }

    private static IReadOnlyList<string> Row(string name, OnPolicyLesson lesson)
    {
        int problems = lesson.Runs.Problems;
        return
        [
            name, Way(lesson.Greedy, problems), Way(lesson.Sampled, problems),
            lesson.Expected ? "expected to help" : "not expected to help",
            Points(lesson.Comparison.Greedy, problems), Points(lesson.Comparison.Sampled!, problems),
            lesson.Helped ? "helped" : lesson.Comparison.Verdict, lesson.IsRight ? "yes" : "no",
        ];
    }

    private static IReadOnlyList<string> DistanceRow(string name, OnPolicyLesson lesson)
    {
        int problems = lesson.Runs.Problems;
        return
        [
            name, ReportNumbers.Count(lesson.Runs.Runs.Count),
            lesson.TokensOfARun is { } tokens ? ReportNumbers.Count(tokens) : ReportNumbers.NotMeasured,
            .. Gone(lesson.Greedy, problems), .. Gone(lesson.Sampled, problems),
        ];
    }

    private static string[] Gone(LessonShares shares, int problems) =>
    [
        $"{ReportNumbers.Number(shares.Start.Average(), problems)} → {ReportNumbers.Percent(shares.After.Average(), problems)}",
        ReportNumbers.Percent(shares.Teacher.Average(), problems),
        shares.Closed is { } closed
            ? $"{ReportNumbers.Percent(closed.Share, problems)} [{ReportNumbers.Range(closed.Interval95, problems)}]"
            : ReportNumbers.NotMeasured,
    ];

    private static string Way(LessonShares shares, int problems) =>
        $"{ReportNumbers.Number(shares.Start.Average(), problems)} → {ReportNumbers.Percent(shares.Teacher.Average(), problems)}";

    private static string Points(MeasuredDifference difference, int problems) =>
        $"{ReportNumbers.Points(difference.Difference, problems)} [{ReportNumbers.PointsRange(difference.Interval95, problems)}]";
}

/// <summary>Shares of each problem that are solved before and after a lesson, and by its teacher.</summary>
internal sealed record LessonShares(IReadOnlyList<double> Start, IReadOnlyList<double> After, IReadOnlyList<double> Teacher)
{
    private const ulong BootstrapSeed = 1;

    /// <summary>Null where the teacher is not above the start for sure.</summary>
    public RecoveredShare? Closed => RecoveredShare.Of(Start, Teacher, After, BootstrapSeed);
}

/// <summary>The last training of runs that differ in their seeds alone: where it began, where it ended, what was expected of it.</summary>
internal sealed class OnPolicyLesson
{
    public OnPolicyLesson(SeedRuns runs)
    {
        Runs = runs;
        string[] line = [.. runs.Models.Line.Select(model => model.Name)];
        string start = line.Length > 1 ? line[^2] : Named(ModelRole.Base), teacher = Named(ModelRole.Teacher);
        Greedy = new(Of(runs.Greedy, start), Of(runs.Greedy, line[^1]), Of(runs.Greedy, teacher));
        Sampled = new(Of(runs.Sampled, start), Of(runs.Sampled, line[^1]), Of(runs.Sampled, teacher));
        var resamples = MeasuredDifference.ResamplesOf(runs.Problems);
        Comparison = new(Difference(Greedy), Difference(Sampled));
        var stages = runs.Runs.Select(run => run.Stages.Single(stage => stage.Name == line[^1]).Amounts?.Tokens).ToList();
        TokensOfARun = stages.Any(tokens => tokens is null) ? null : (long)stages.Average(tokens => tokens!.Value);

        string Named(ModelRole role) => runs.Models.RowOf(role)?.Model
            ?? throw new InvalidOperationException($"'{runs.Runs[0].Run}' did not evaluate its {role}.");
        MeasuredDifference Difference(LessonShares shares) => MeasuredDifference.Of([shares.Start], [shares.After], resamples);
    }

    public SeedRuns Runs { get; }

    public LessonShares Greedy { get; }

    public LessonShares Sampled { get; }

    /// <summary>After against start, on the same problems.</summary>
    public RecipeComparison Comparison { get; }

    /// <summary>Null where a run took the training from another one.</summary>
    public long? TokensOfARun { get; }

    public bool Helped => Comparison.Verdict == "better";

    /// <summary>What the rule says today of what was measured then.</summary>
    public bool Expected => Preflight.Measure is { } measure && OnPolicyRule.Of(measure).Verdict == OnPolicyVerdict.ExpectedToHelp;

    public OnPolicyReport Preflight => Runs.Runs[0].Preflight
        ?? throw new InvalidOperationException($"'{Runs.Runs[0].Run}' had no preflight.");

    public bool IsRight => Helped == Expected;

    private static IReadOnlyList<double> Of(Func<string, IReadOnlyList<double>?> values, string model) =>
        values(model) ?? throw new InvalidOperationException($"No report has answers of '{model}'.");
}
