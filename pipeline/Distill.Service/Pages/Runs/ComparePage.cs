using Distill.Pipeline.Reporting;
using Distill.Pipeline.Reporting.Page;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;

namespace Distill.Service.Pages.Runs;

/// <summary>Two runs side by side: results over the same problems, recipes, artefacts. The facts are those of <c>runs diff</c>.</summary>
internal static class ComparePage
{
    private const int MostNames = 200;

    private static Html Invitation { get; } = Html.Of($"""
        <p class="way">Choose two runs: what differs in their recipes, and in their results by paired tests over the problems that both
        were asked.</p>
        """);

    /// <param name="difference">Null where nothing was chosen yet, or cannot be compared.</param>
    /// <param name="refusal">Why not; null where it was.</param>
    public static PageFrame Of(ServiceView view, string? before, string? after, RunDifference? difference, string? refusal)
    {
        string[] names = [.. view.RunNames().Take(MostNames)];
        return new("compare", ServicePaths.Compare,
            difference is null ? Html.Of($"Compare two runs") : Html.Of($"{difference.After} against {difference.Before}"), Html.Of($"""
            <form class="filters" method="get" action="/compare">
            {Choice("a", "First run", names, before)}
            {Choice("b", "Second run", names, after)}
            <button>Compare</button>
            </form>
            {Html.If(refusal is not null, () => Html.Of($"<p class=\"remark\">{refusal}</p>"))}
            {(difference is null ? Invitation : Difference(difference))}
            """));
    }

    private static Html Choice(string name, string label, string[] names, string? chosen)
    {
        string[] all = chosen is null || names.Contains(chosen) ? names : [chosen, .. names];
        return Html.Of($"""
            <label class="wide">{label}<select name="{name}" required><option value="">choose</option>
            {all.Select(one => RunsPage.Option(one, chosen))}</select></label>
            """);
    }

    private static Html Difference(RunDifference difference)
    {
        string before = difference.Before, after = difference.After;
        string swap = ServicePaths.CompareWith(after, before);
        return Html.Of($"""
            {PageWords.Links(PageWords.Link(ServicePaths.Run(before), before), PageWords.Link(ServicePaths.Run(after), after),
                PageWords.Link(swap, "the other way round"))}
            {Results(difference)}
            {Recipes(difference)}
            {Artefacts(difference)}
            """);
    }

    private static Html Results(RunDifference difference)
    {
        var rows = difference.Results.SelectMany(Rows).ToList();
        var leftOut = difference.Results.Where(result => result.Answers is not { OnlyBefore: 0, OnlyAfter: 0 })
            .GroupBy(result => (result.Answers.OnlyBefore, result.Answers.OnlyAfter));
        string note = difference.Results.Count == 0 ? "No model was evaluated in both."
            : rows.Count == 0 ? "They were asked no problem in common."
            : $"Points: {difference.After} − {difference.Before} over the problems that both were asked. p: greedy by McNemar's exact "
                + "test, sampled by paired bootstrap. Where the 95 % interval includes 0, the two cannot be told apart.";
        return Parts.Section("Results", note, Html.Of($"""
            {Html.If(rows.Count > 0, () => Parts.Table(
                ["model", "answers", difference.Before, difference.After + " ", "points", "95 %", "p", "problems"],
                rows, "answers"))}
            {Html.If(difference.NotCompared.Count > 0, () => Html.Of(
                $"<p class=\"way\">Not compared, for want of answers in both: {string.Join(", ", difference.NotCompared)}.</p>"))}
            {leftOut.Select(group => LeftOut(difference, [.. group.Select(result => result.Model)], group.Key))}
            """));
    }

    private static Html LeftOut(RunDifference difference, string[] models, (int Before, int After) only) => Html.Of($"""
        <p class="way">Left out of {string.Join(", ", models)}: {PageWords.Count(only.Before, "problem", "problems")} that only
        {difference.Before} asked, {PageWords.Count(only.After, "problem", "problems")} that only {difference.After} asked.</p>
        """);

    private static IEnumerable<Html> Rows(ModelDifference result)
    {
        if (result.Answers.Greedy is { } greedy) yield return Row(result.Model, "greedy", greedy);
        if (result.Answers.Sampled is { } sampled) yield return Row(result.Model, "sampled", sampled);
    }

    private static Html Row(string model, string answers, MeasureDifference found)
    {
        int n = found.Problems;
        string colour = found.Interval95 switch { { Low: > 0 } => "good", { High: < 0 } => "bad", _ => "open" };
        return Parts.Row(Html.Of($"{model}"), PageWords.Cell(answers), Parts.Share(found.Before, n), Parts.Share(found.After, n),
            Html.Of($"<td class=\"{colour}\"><b>{ReportNumbers.Points(found.Difference, n)}</b></td>"),
            Parts.Cell(ReportNumbers.PointsRange(found.Interval95, n)), Parts.Cell(ReportNumbers.P(found.P)),
            Parts.Cell(ReportNumbers.Count(n)));
    }

    private static Html Recipes(RunDifference difference)
    {
        string[] seeds = [.. difference.Recipe.Where(value => value.IsSeed).Select(value => value.Path)];
        return Parts.Section("Recipes",
            difference.Recipe.Count == 0 ? "They are the same."
                : seeds.Length == 0 ? "No seed differs." : $"Seeds that differ: {string.Join(", ", seeds)}.",
            Html.If(difference.Recipe.Count > 0, () => Parts.Table(["value", difference.Before, difference.After + " "],
                difference.Recipe.Select(value => Parts.Row(Html.Of($"<code>{value.Path}</code>"),
                    PageWords.Text(value.Before ?? "–"), PageWords.Text(value.After ?? "–"))), difference.Before, difference.After + " ")));
    }

    private static Html Artefacts(RunDifference difference) => Parts.Section("Artefacts",
        $"{PageWords.Count(difference.EqualStages, "stage has", "stages have")} the same artefact.",
        Html.If(difference.Stages.Count > 0, () => PageWords.Stacked(Parts.Table(
            ["stage", "why they differ", difference.Before, difference.After + " "],
            difference.Stages.Select(stage => Parts.Row(Html.Of($"{stage.Stage}"),
                PageWords.Text(stage.Reason + (stage.IsSameContent ? "; the same came out" : "")),
                Digest(stage.Before), Digest(stage.After))), "why they differ", difference.Before, difference.After + " "))));

    private static Html Digest(string? digest) => digest is null ? PageWords.None : PageWords.Cell(Parts.Digest(digest));
}
