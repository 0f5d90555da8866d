namespace Distill.Pipeline.Reporting.Page;

/// <summary>The same problems answered by every model. Every text here was written by a model and is hostile until escaped.</summary>
internal static class SideBySideSection
{
    public static Html Of(RunReport report, ReportModels models) => Html.If(report.SideBySide.Count > 0, () => Parts.Section(
        "The same problem, every model",
        "Greedy answers, side by side: of each kind the first problem of the test set, not the best and not the worst.",
        Html.Of($"{report.SideBySide.Select((problem, i) => Problem(problem, isFirst: i == 0, models))}")));

    private static Html Problem(AnsweredProblem problem, bool isFirst, ReportModels models) => Html.Of($"""
        <details class="trace"{Html.If(isFirst, () => Html.Of($" open=\"open\""))}>
        <summary><b>{problem.Why}</b> <bdi>{problem.Domain}</bdi></summary>
        <pre>{problem.Problem}</pre>
        <p class="note">Right answer: <bdi>{problem.ReferenceAnswer}</bdi> · <code>{problem.ProblemId}</code></p>
        <div class="beside">
        {problem.Answers.OrderBy(answer => models.PlaceOf(answer.Model)).Select(answer => Answer(answer, models))}</div></details>

        """);

    private static Html Answer(ShownAnswer answer, ReportModels models) => Html.Of($"""
        <div><p>{Parts.Model(answer.Model, models)}
        <span class="pill {(answer.IsRight ? "good" : "bad")}">{(answer.IsRight ? "right" : "wrong")}</span>
        <small>{ReportNumbers.Count(answer.Tokens)} tokens</small></p>
        {Html.If(answer.Reasoning.Length > 0, () => Html.Of($"<pre>{answer.Reasoning}</pre>"))}
        {(answer.Answer is { } text ? Html.Of($"<p class=\"answer\">Answer: <bdi>{text}</bdi></p>")
            : Html.Of($"<p class=\"answer absent\">no answer</p>"))}</div>

        """);
}
