using Distill.Evaluation;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>The same shares, domain by domain.</summary>
internal static class DomainSection
{
    public static Html Of(RunReport report)
    {
        var models = ModelNames.Sorted(report);
        string[] domains = [.. models.SelectMany(row => row.ByDomain).Select(domain => domain.Domain).Distinct()];
        return Html.If(domains.Length > 0, () => Parts.Section(
            "By domain",
            "Greedy with its 95 % interval; sampled beneath. Fewer problems, wider intervals.",
            Parts.Table(["domain", "problems", .. models.Select(row => row.Model)], domains.Select(domain => Row(domain, models)))));
    }

    private static Html Row(string domain, IReadOnlyList<EvaluationReport> models)
    {
        var reports = models.Select(model => model.ByDomain.FirstOrDefault(part => part.Domain == domain)).ToList();
        string problems = string.Join(" or ", reports.OfType<DomainReport>().Select(part => part.Problems).Distinct().Select(count => Figures.Count(count)));
        return Parts.Row(Html.Of($"{domain}"), [Parts.Cell(problems), .. reports.Select(Cell)]);
    }

    private static Html Cell(DomainReport? part)
    {
        if (part is null) return Parts.Absent;
        string sampled = part.PassAt1 is { } share
            ? $"sampled {Figures.Percent(share, part.Problems)}" + (part.Interval95 is { } range ? $" ({Figures.Range(range, part.Problems)})" : "")
            : "";
        return Html.Of($"""
            <td class="share" style="--share:{Math.Clamp(part.Greedy, 0, 1) * 100}%"><b>{Figures.Percent(part.Greedy, part.Problems)}</b><small>{Figures.Range(part.GreedyInterval95, part.Problems)}</small><small>{sampled}</small></td>
            """);
    }
}
