using Distill.Evaluation;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>The same shares, domain by domain.</summary>
internal static class DomainSection
{
    private const string Greedy = "greedy", Sampled = "sampled";

    public static Html Of(RunReport report)
    {
        var models = ModelNames.Sorted(report);
        string[] domains = [.. models.SelectMany(row => row.ByDomain).Select(domain => domain.Domain).Distinct()];
        string[] ways = models.Any(row => row.PassAt1 is not null) ? [Greedy, Sampled] : [Greedy];
        return Html.If(domains.Length > 0, () => Parts.Section(
            "By domain",
            "Shares of each domain's problems with their 95 % intervals. Fewer problems, wider intervals.",
            Parts.Table(
                ["domain", "problems", "", .. models.Select(row => row.Model)],
                domains.SelectMany(domain => ways.Select(way => Row(domain, way, models))))));
    }

    private static Html Row(string domain, string way, IReadOnlyList<EvaluationReport> models)
    {
        var parts = models.Select(model => model.ByDomain.FirstOrDefault(part => part.Domain == domain)).ToList();
        string problems = string.Join(" or ", parts.OfType<DomainReport>().Select(part => part.Problems).Distinct().Select(count => ReportNumbers.Count(count)));
        bool first = way == Greedy;
        return Parts.Row(
            Html.Of($"{(first ? domain : "")}"),
            [Parts.Cell(first ? problems : ""), Html.Of($"<td class=\"words way\">{way}</td>"), .. parts.Select(part => Cell(part, first))]);
    }

    private static Html Cell(DomainReport? part, bool greedy) => part is null
        ? Parts.Absent
        : greedy ? Parts.Share(part.Greedy, part.GreedyInterval95, part.Problems) : Parts.Share(part.PassAt1, part.Interval95, part.Problems);
}
