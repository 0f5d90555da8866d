namespace Distill.Pipeline.Reporting.Page;

/// <summary>From the model back to the problems: what each was made from, by the digests of the bytes.</summary>
internal static class LineageSection
{
    private const int Deepest = 20; // stages of one run follow one another; a longer chain is no run of ours

    public static Html Of(RunReport report)
    {
        var stages = report.Stages.Where(stage => stage.Outputs.Count > 0).ToDictionary(stage => stage.Name, StringComparer.Ordinal);
        if (report.Stages.LastOrDefault(stage => stage.Outputs.Count > 0) is not { Inputs.Count: > 0 } last) return Html.Empty;
        var shown = new HashSet<string>(StringComparer.Ordinal);
        return Parts.Section(
            "Lineage",
            "What the model was made from, back to the problems. Digests name bytes: equal digests, equal content. 'distill lineage' "
            + "follows them through every run.",
            Html.Of($"<ul class=\"tree\">{Node(last.Name, last.Outputs.First().Value, stages, shown, 0)}</ul>"));
    }

    private static Html Node(
        string name, string digest, Dictionary<string, StageReport> stages, HashSet<string> shown, int depth)
    {
        var head = Html.Of($"<b>{name}</b> {Parts.Digest(digest)}");
        if (!stages.TryGetValue(name, out var stage)) return Html.Of($"<li>{head} <small>given by the recipe</small></li>\n");
        if (!shown.Add(name) || depth >= Deepest) return Html.Of($"<li>{head} <small>as above</small></li>\n");
        // What was trained comes before what it was tested by.
        var inputs = stage.Inputs.OrderBy(input => !IsWeighty(input.Key));
        return Html.Of($"""
            <li>{head} <small>{Result(stage.Reason)}</small>
            {Html.If(stage.Inputs.Count > 0, () => Html.Of(
                $"<ul>{inputs.Select(input => Node(input.Key, input.Value, stages, shown, depth + 1))}</ul>"))}</li>

            """);
    }

    private static bool IsWeighty(string input) =>
        !input.StartsWith("evaluation/", StringComparison.Ordinal) && !input.StartsWith("parity", StringComparison.Ordinal)
        && !input.StartsWith("problems/", StringComparison.Ordinal);

    // A reason is "why it ran: what came of it".
    private static string Result(string reason) =>
        reason.IndexOf(": ", StringComparison.Ordinal) is var colon and > 0 ? reason[(colon + 2)..] : reason;
}
