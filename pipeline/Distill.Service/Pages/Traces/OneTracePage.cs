using System.Globalization;
using System.Text.Json;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Reporting.Page;

namespace Distill.Service.Pages.Traces;

/// <summary>One trace whole, its tokens coloured by how probable the teacher found them.</summary>
internal static class OneTracePage
{
    private const int MostTokens = 20_000, Strongest = 6;

    private const double Impossible = -99;

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <param name="pieces">Text of each token, for the view token by token; null where the teacher's tokenizer is not at hand.</param>
    public static PageFrame Of(
        string run, TraceFilter filter, long matching, JsonElement row, Func<IReadOnlyList<int>, IReadOnlyList<string>>? pieces)
    {
        string place = ServicePaths.Of(run, "traces");
        int at = filter.At ?? 0;
        string list = place + filter.OnPage((at / TraceReader.PerPage) + 1).ToQuery();
        return new($"trace {at + 1} of {run}", ServicePaths.Runs,
            Html.Of($"Trace {at + 1} of {ReportNumbers.Count(matching)} {TracesPage.Grade(row)}"), Html.Of($"""
            {PageWords.Links(Ways(place, filter, at, matching))}
            <section class="one">
            <p><code>{ForeignText.Of(TracesPage.Text(row, "problem_id"))}</code>
            sample {ReportNumbers.Count(TracesPage.Number(row, "sample_index"))}</p>
            {Html.If(TracesPage.Text(row, "system").Length > 0, () => Part("System", TracesPage.Text(row, "system"), ""))}
            {Part("Problem", TracesPage.Text(row, "problem"), "empty")}
            {Tokens(row, pieces)}
            {Html.If(TracesPage.Text(row, "reasoning").Length > 0, () => Part("Reasoning", TracesPage.Text(row, "reasoning"), ""))}
            {Part("Answer", TracesPage.Text(row, "answer"), Missing(row))}
            {Part("Reference answer", TracesPage.Text(row, "reference_answer"), "empty")}
            <dl class="facts">{Facts(row).Where(fact => fact.Value.Length > 0).Select(fact =>
                Html.Of($"<dt>{fact.Name}</dt><dd>{ForeignText.Of(fact.Value)}</dd>"))}</dl>
            </section>
            """))
        {
            Eyebrow = Html.Of($"""
                <p class="eyebrow"><a href="{ServicePaths.Run(run)}">run {run}</a> · <a href="{list}">back to the list</a></p>
                """),
        };
    }

    private static IEnumerable<Html> Ways(string place, TraceFilter filter, int at, long matching)
    {
        if (at > 0) yield return Html.Of($"<a rel=\"prev\" href=\"{place}{filter.Showing(at - 1).ToQuery()}\">← before</a>");
        if (at + 1 < matching) yield return Html.Of($"<a rel=\"next\" href=\"{place}{filter.Showing(at + 1).ToQuery()}\">after →</a>");
        yield return Html.Of($"<a href=\"/api{place}{filter.ToQuery()}\">JSON</a>");
    }

    private static string Missing(JsonElement row) => TracesPage.Text(row, "refusal") is { Length: > 0 } refusal
        ? $"refused: {refusal}" : "there is none: the completion never got there";

    private static IEnumerable<(string Name, string Value)> Facts(JsonElement row)
    {
        yield return ("stopped by", TracesPage.Text(row, "stop_reason"));
        yield return ("tokens", ReportNumbers.Count(TracesPage.Number(row, "completion_tokens")));
        yield return ("domain", TracesPage.Text(row, "domain"));
        yield return ("split", TracesPage.Text(row, "split"));
        yield return ("source", TracesPage.Text(row, "source"));
        yield return ("teacher", TracesPage.Text(row, "teacher"));
        yield return ("sampling", TracesPage.Text(row, "sampling"));
        yield return ("graded by", TracesPage.Text(row, "verifier"));
        yield return ("choices", TracesPage.Text(row, "choices"));
    }

    private static Html Part(string title, string text, string otherwise) => Html.Of($"""
        <h2>{title}</h2>
        {(text.Length == 0 ? Html.Of($"<p class=\"way\">{ForeignText.Of(otherwise)}</p>") : Html.Of($"<pre>{ForeignText.Of(text)}</pre>"))}
        """);

    // The less probable the teacher found its own token, the stronger the colour; a line below says it without colour.
    private static Html Tokens(JsonElement row, Func<IReadOnlyList<int>, IReadOnlyList<string>>? pieces)
    {
        int[] ids = [.. Items(row, "token_ids").Select(id => id.GetInt32())];
        double[] scores = [.. Items(row, "token_logprobs").Select(Score)];
        if (ids.Length == 0 || scores.Length != ids.Length) return Html.Empty;
        if (pieces is null)
        {
            return Html.Of($"""
                <h2>Token by token</h2>
                <p class="way">The teacher's tokenizer is not at hand, so its tokens have no texts.</p>
                """);
        }

        int shown = Math.Min(ids.Length, MostTokens);
        var texts = pieces(ids[..shown]);
        return Html.Of($"""
            <h2>Token by token</h2>
            <p class="way">The stronger the colour, the less probable the token was to the teacher; point at one for its log-probability.
            Mean {Spelled(Mean(scores))}, least probable {Spelled(scores.Min())}.
            {(shown < ids.Length ? $"The first {shown}." : "")}</p>
            <div class="legend tokens" aria-hidden="true"><span class="t0">probable</span><span class="t1">−0.5</span>
            <span class="t2">−1</span><span class="t4">−2</span><span class="t6">−3 and less</span></div>
            <pre class="tokens">{texts.Select((text, i) => Token(text, scores[i]))}</pre>
            """);
    }

    // Of a token that could not come at all there is no mean.
    private static double Mean(double[] scores) => scores.Where(score => score > Impossible).DefaultIfEmpty(Impossible).Average();

    private static string Spelled(double score) =>
        Math.Round(score, 2) is < 0 and var rounded ? "−" + (-rounded).ToString("0.00", Culture) : "0";

    private static Html Token(string text, double score)
    {
        int strength = (int)Math.Clamp(Math.Floor(-2 * score), 0, Strongest);
        string meaning = string.Create(Culture, $"log-probability {Spelled(score)}, {100 * Math.Exp(score):0.0} %");
        return Html.Of($"<span class=\"t{strength}\" title=\"{meaning}\">{ForeignText.Of(text)}</span>");
    }

    private static IEnumerable<JsonElement> Items(JsonElement row, string name) =>
        row.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [];

    // Beyond this everything is equally improbable to the eye.
    private static double Score(JsonElement text) =>
        text.ValueKind == JsonValueKind.String && double.TryParse(text.GetString(), NumberStyles.Float, Culture, out double score)
            && double.IsFinite(score) ? Math.Clamp(score, Impossible, 0) : Impossible;
}
