using Distill.Verification;
using Distill.Evaluation;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>The traces that the students learned from, and completions to look at.</summary>
internal static class TraceSections
{
    // A reader looks at pages, not at a model that ran away; the artefacts hold all of it.
    private const int LongestText = 8_000;

    /// <summary>Every text here was written by a model and is hostile until escaped.</summary>
    public static Html Samples(ReportModels models)
    {
        var rows = models.Rows.Where(row => row.SampleTraces.Count > 0).ToList();
        return Html.If(rows.Count > 0, () => Parts.Section(
            "Sample answers",
            "Greedy answers: for each model the first problem that it solves and the first that it does not, not the best or the worst.",
            Html.Of($"{rows.SelectMany(row => row.SampleTraces.Select(trace => Trace(row.Model, trace, models)))}")));
    }

    /// <summary>What the students did not get to see, and why.</summary>
    public static Html Curation(RunReport report) => Html.If(report.Curation is not null, () =>
    {
        var curation = report.Curation!;
        long all = curation.Kept + curation.Dropped.Values.Sum();
        int sample = (int)Math.Min(all, int.MaxValue);
        Html row(string name, long count) => Parts.Row(
            Html.Of($"{name}"), Parts.Cell(ReportNumbers.Count(count)),
            all == 0 ? Parts.Absent : Parts.Share((double)count / all, null, sample));
        return Parts.Section(
            "Curation",
            $"{ReportNumbers.Count(all)} traces of the teacher, {ReportNumbers.Count(curation.Kept)} kept; "
            + "each dropped for the first reason that applied.",
            Html.Of($"""
                {Parts.Table(
                    ["traces", "count", "share"],
                    [
                        row("kept", curation.Kept),
                        .. curation.Dropped.OrderByDescending(drop => drop.Value)
                            .Select(drop => row($"dropped: {ReportNumbers.Words(drop.Key)}", drop.Value)),
                    ])}
                {curation.Examples?.SelectMany(reason => reason.Value.Select(trace => Dropped(reason.Key, trace))) ?? []}
                """));
    });

    private static Html Dropped(string reason, DroppedTrace trace) => Html.Of($"""
        <details class="trace"><summary><span class="pill bad">{ReportNumbers.Words(reason)}</span>
        <bdi>{FirstLine(trace.ProblemId)}, sample {trace.SampleIndex}</bdi></summary>
        <dl><dt>end of the reasoning</dt><dd>{Text(trace.Reasoning)}</dd>
        <dt>answer</dt><dd>{Text(trace.Answer)}</dd>
        {Html.If(trace.Refusal is not null, () => Html.Of($"<dt>said instead</dt><dd>{Text(trace.Refusal)}</dd>"))}
        <dt>reference answer</dt><dd><pre>{Bounded(trace.ReferenceAnswer)}</pre></dd></dl></details>

        """);

    private static Html Trace(string model, SampleTrace trace, ReportModels models) => Html.Of($"""
        <details class="trace"><summary>{Parts.Model(model, models)} <span class="pill {Class(trace.Verdict)}">{Word(trace.Verdict)}</span>
        <bdi>{FirstLine(trace.Problem)}</bdi></summary>
        <dl><dt>problem <code>{trace.ProblemId}</code></dt><dd><pre>{Bounded(trace.Problem)}</pre></dd>
        <dt>reasoning</dt><dd>{Text(trace.Reasoning)}</dd>
        <dt>answer</dt><dd>{Text(trace.Answer)}</dd>
        <dt>reference answer</dt><dd><pre>{Bounded(trace.ReferenceAnswer)}</pre></dd></dl></details>

        """);

    private static Html Text(string? text) =>
        string.IsNullOrEmpty(text) ? Html.Of($"<p class=\"absent\">none</p>") : Html.Of($"<pre>{Bounded(text)}</pre>");

    private static string FirstLine(string text)
    {
        string line = text.ReplaceLineEndings(" ");
        return line.Length <= 90 ? line : Cut(line, 90);
    }

    private static string Bounded(string text) =>
        text.Length <= LongestText ? text : $"{Cut(text, LongestText)}\n[{ReportNumbers.Count(text.Length - LongestText)} more characters]";

    // Never between the halves of a surrogate pair.
    private static string Cut(string text, int length) =>
        string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[length - 1]) ? length - 1 : length), "…");

    private static string Word(Verdict verdict) => verdict switch
    {
        Verdict.Correct => "correct",
        Verdict.Incorrect => "incorrect",
        _ => "undecidable",
    };

    private static string Class(Verdict verdict) => verdict switch
    {
        Verdict.Correct => "good",
        Verdict.Incorrect => "bad",
        _ => "open",
    };
}
