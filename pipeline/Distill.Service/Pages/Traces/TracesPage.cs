using System.Text.Json;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Reporting.Page;

namespace Distill.Service.Pages.Traces;

/// <summary>The traces of a run in a list that is filtered on the server. All their texts are hostile until escaped.</summary>
internal static class TracesPage
{
    private const int LongestExcerpt = 220;

    public static PageFrame Of(string run, TraceFilter filter, TraceList list)
    {
        int pages = (int)Math.Clamp((list.Matching + TraceReader.PerPage - 1) / TraceReader.PerPage, 1, int.MaxValue);
        int page = Math.Min(filter.Page, pages);
        int first = (page - 1) * TraceReader.PerPage;
        string place = ServicePaths.Of(run, "traces"), all = ReportNumbers.Count(list.Facets.Rows);
        return new($"traces of {run}", ServicePaths.Runs, Html.Of($"Traces of {run}"), Html.Of($"""
            {Filters(place, filter, list.Facets)}
            <section class="list"><p class="way" role="status">{ReportNumbers.Count(list.Matching)} of {all} match.</p>
            <ol class="traces" start="{first + 1}">{list.Rows.Select((row, i) => Item(place, filter.Showing(first + i), row))}</ol>
            {PageWords.Pages(page, pages, number => place + filter.OnPage(number).ToQuery())}
            </section>
            """))
        {
            Eyebrow = Html.Of($"""
                <p class="eyebrow"><a href="{ServicePaths.Run(run)}">run {run}</a> · <a href="/api{place}{filter.ToQuery()}">JSON</a></p>
                """),
        };
    }

    /// <summary>A text column; empty where it is null or not there.</summary>
    public static string Text(JsonElement row, string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    public static long Number(JsonElement row, string name) =>
        row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number)
            ? number : 0;

    /// <summary>Verdict, and why it was left out; nothing of traces that nobody graded.</summary>
    public static Html Grade(JsonElement row)
    {
        string verdict = Text(row, "verdict"), reason = ReportNumbers.Words(Text(row, "drop_reason"));
        return Html.Of($"""
            {Html.If(verdict.Length > 0, () => PageWords.Pill(verdict))}
            {Html.If(reason.Length > 0, () => Html.Of($"<span class=\"pill open\">left out: {reason}</span>"))}
            """);
    }

    private static Html Filters(string place, TraceFilter filter, TraceFacets facets) => Html.Of($"""
        <form class="filters" method="get" action="{place}" role="search">
        <label class="wide">Search in problems, reasoning, answers and ids
        <input type="search" name="q" value="{filter.Text}" autocomplete="off"></label>
        {TraceFilter.Choices.Where(choice => facets.Words.GetValueOrDefault(choice.Name) is { Count: > 1 })
            .Select(choice => Choice(choice.Name, choice.Label, facets.Words[choice.Name], filter.Wanted.GetValueOrDefault(choice.Name)))}
        <label>Tokens from<input type="number" name="least" min="0" value="{Spelled(filter.Least)}"></label>
        <label>Tokens to<input type="number" name="most" min="0" value="{Spelled(filter.Most)}"></label>
        {Html.If(filter.Problem is not null, () => Html.Of($"<label>Problem<input name=\"problem\" value=\"{filter.Problem}\"></label>"))}
        <button>Show</button> <a href="{place}">all</a>
        </form>

        """);

    private static string Spelled(int? number) => number?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "";

    private static Html Choice(string name, string label, IReadOnlyList<string> words, string? chosen) => Html.Of($"""
        <label>{label}<select name="{name}"><option value="">all</option>
        {words.Select(word => Runs.RunsPage.Option(word, chosen))}</select></label>
        """);

    private static Html Item(string place, TraceFilter filter, JsonElement row)
    {
        string problem = Text(row, "excerpt").ReplaceLineEndings(" ");
        if (problem.Length > LongestExcerpt) problem = problem[..LongestExcerpt];
        string tokens = ReportNumbers.Count(Number(row, "completion_tokens")), sample = ReportNumbers.Count(Number(row, "sample_index"));
        return Html.Of($"""
            <li><a href="{place}{filter.ToQuery()}"><span class="head">{Grade(row)}
            <small>{tokens} tokens · {Text(row, "domain")} · sample {sample}</small></span>
            <span class="excerpt">{ForeignText.Of(problem)}</span></a></li>

            """);
    }
}
