using Distill.Pipeline.Graph;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Reporting.Page;
using Distill.Pipeline.Runs;

namespace Distill.Service.Pages.Runs;

/// <summary>One run: how far it is, its stages and why they ran, its curves and results, and the way to all that belongs to it.</summary>
internal static class RunPage
{
    public static PageFrame Of(RunDetails details, IReadOnlyList<MetricSeries> curves)
    {
        var run = details.Run;
        bool isAtWork = run.State == RunWord.Running;
        return new(run.Name, ServicePaths.Runs, Html.Of($"{run.Name} {PageWords.Pill(run.State)}"), Html.Of($"""
            {PageWords.Live("doors", Html.Of($"""
                {Html.If(run.Reason is not null, () => Html.Of($"<p class=\"remark\">{run.Reason}</p>"))}
                {PageWords.Links(Doors(details))}
                """))}
            {PageWords.Live("progress", Html.If(isAtWork, () => Parts.Section("At work", "", Progress(run))))}
            {PageWords.Live("stages", Parts.Section("Stages", "", Stages(details)))}
            {PageWords.Live("curves", Curves(details, curves))}
            {PageWords.Live("results", Html.If(details.Report is not null, () => Results(details.Report!)))}
            <section><h2>Recipe</h2><details><summary>The whole recipe</summary><pre>{details.Recipe}</pre></details></section>
            """))
        {
            Eyebrow = Html.Of($"<p class=\"eyebrow\">{Origin(run)}changed {PageWords.Time(run.Changed)} UTC</p>"),
            Refresh = isAtWork ? PageFrame.AtWork : PageFrame.AtRest,
        };
    }

    private static Html Origin(ShownRun run) => run.Occurrence is { } one
        ? Html.Of($"of the schedule <a href=\"{ServicePaths.Schedule(one.Schedule)}\">{one.Schedule}</a> · ") : Html.Empty;

    private static IEnumerable<Html> Doors(RunDetails details)
    {
        string name = details.Run.Name;
        if (details.Run.HasReport) yield return PageWords.Link(ServicePaths.Of(name, "report.html"), "report");
        yield return PageWords.Link(ServicePaths.Of(name, "log"), "log");
        if (details.Traces is not null) yield return PageWords.Link(ServicePaths.Of(name, "traces"), "traces");
        if (details.Model is { } model)
        {
            yield return PageWords.Link(ServicePaths.Of(name, "card"), "model card");
            yield return PageWords.Link(ServicePaths.Artefact(model.Key, model.Version), "download the model");
        }

        yield return PageWords.Link(ServicePaths.Of(name, "lineage"), "lineage");
        yield return PageWords.Link(ServicePaths.CompareWith(name, null), "compare");
        yield return PageWords.Link($"/api/runs/{ServicePaths.Escaped(name)}", "JSON");
    }

    private static Html Progress(ShownRun run) => Html.Of($"""
        <div class="now">{(run.Status is { } status ? PageWords.Progress(status)
            : Html.Of($"<span class=\"way\">Its process says nothing of its progress yet.</span>"))}</div>
        """);

    private static Html Stages(RunDetails details) => details.Stages.Count == 0
        ? Html.Of($"<p class=\"way\">Nothing is known of its stages.</p>")
        : PageWords.Stacked(Parts.Table(["stage", "state", "took", "why", "what came out"], details.Stages.Select(Stage),
            "state", "why", "what came out"));

    private static Html Stage(ShownStage stage) => Parts.Row(
        stage.Artefact is { } place ? PageWords.Link(place, stage.Name) : Html.Of($"{stage.Name}"),
        PageWords.Cell(PageWords.Pill(stage.State)),
        Html.Of($"<td>{(stage.Seconds is { } seconds ? ReportNumbers.Seconds(seconds) : stage.SecondsLeft is { } left
            ? $"{PageWords.Duration(TimeSpan.FromSeconds(left))} left" : "")}</td>"),
        PageWords.Text(stage.Reason),
        stage.Progress is { Total: > 0 } progress ? Bar(stage.Name, progress.Done / progress.Total) : PageWords.Text(stage.Summary));

    private static Html Bar(string stage, double share) =>
        Html.Of($"<td class=\"words free\"><progress max=\"1\" value=\"{share}\" aria-label=\"{stage}\"></progress></td>");

    private static Html Curves(RunDetails details, IReadOnlyList<MetricSeries> curves)
    {
        var report = details.Report ?? new RunReport { Run = details.Run.Name, RecipeDigest = "" };
        if (report.Models.Count == 0) report = report with { Models = [.. Trained(curves)] };
        return CurveSection.Of(curves, new ReportModels(report));
    }

    // Before the report says what the models are called, they have the names of the stages that make them, and the colours that come
    // after those of teacher and base, as in the report.
    private static IEnumerable<ReportedModel> Trained(IReadOnlyList<MetricSeries> curves) =>
    [
        new(StageGraph.Teacher, ModelRole.Teacher, StageGraph.Teacher, ""), new(StageGraph.Base, ModelRole.Base, StageGraph.Base, ""),
        .. curves.Select(curve => curve.Stage).Distinct().Select(stage => new ReportedModel(stage, ModelRole.Student, stage, "")),
    ];

    private static Html Findings(RunReport report) => Html.Of($"""
        <section><h2>{Pipeline.Reporting.Findings.Headline(report)}</h2>
        {Html.If(ReasoningSentence.Of(report).Length > 0, () => Html.Of($"<p>{ReasoningSentence.Of(report)}</p>"))}
        <ul class="findings">{Lessons.Of(report).Concat(Pipeline.Reporting.Findings.Of(report)).Select(finding =>
            Html.Of($"<li class=\"{finding.Kind.ToString().ToLowerInvariant()}\">{finding.Text}</li>"))}</ul></section>
        """);

    private static Html Results(RunReport report)
    {
        var models = new ReportModels(report);
        return Html.Of($"""
            {Html.If(report.Stages.Count > 0, () => Findings(report))}
            {PromotionVerdict.Of(report)}
            {ResultsSection.Of(models)}
            {ComparisonSections.Pairs(report, models)}
            {ExportSection.Of(report, models)}
            """);
    }
}
