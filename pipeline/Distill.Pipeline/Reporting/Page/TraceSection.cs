using Distill.Data.Verification;
using Distill.Evaluation;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>Completions to look at. Every text here was written by a model and is hostile until escaped.</summary>
internal static class TraceSection
{
    // A reader looks at pages, not at a model that ran away; the artefacts hold all of it.
    private const int LongestText = 8_000;

    public static Html Of(RunReport report)
    {
        var rows = ModelNames.Sorted(report).Where(row => row.SampleTraces.Count > 0).ToList();
        return Html.If(rows.Count > 0, () => Parts.Section(
            "Sample answers",
            "Greedy answers: for each model the first problem that it solves and the first that it does not, not the best or the worst.",
            Html.Of($"{rows.SelectMany(row => row.SampleTraces.Select(trace => Trace(row, trace)))}")));
    }

    private static Html Trace(EvaluationReport row, SampleTrace trace) => Html.Of($"""
        <details class="trace"><summary>{Parts.Model(row.Model)} <span class="pill {Class(trace.Verdict)}">{Word(trace.Verdict)}</span>
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
    private static string Cut(string text, int length) => string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[length - 1]) ? length - 1 : length), "…");

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
