using Distill.Evaluation;
using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>The models side by side: pairs of them, domain by domain, and against the twins of their problems.</summary>
internal static class ComparisonSections
{
    private const string Greedy = "greedy", Sampled = "sampled";

    /// <summary>Models against each other on the same problems: much sharper than comparing their intervals by eye.</summary>
    public static Html Pairs(RunReport report, ReportModels models) => Html.If(report.Comparisons.Count > 0, () => Parts.Section(
        "Paired comparisons",
        "Difference in points of problems solved, over the same problems; paired bootstrap. "
        + "Where the 95 % interval includes 0, the models cannot be told apart.",
        Parts.Table(
            ["difference", "problems", "greedy", "95 %", "p", "sampled", "95 %", "p"],
            report.Comparisons.Select(comparison => Pair(comparison, models)))));

    /// <summary>The same shares, domain by domain.</summary>
    public static Html Domains(ReportModels models)
    {
        string[] domains = [.. models.Rows.SelectMany(row => row.ByDomain).Select(domain => domain.Domain).Distinct()];
        string[] ways = models.Rows.Any(row => row.PassAt1 is not null) ? [Greedy, Sampled] : [Greedy];
        return Html.If(domains.Length > 0, () => Parts.Section(
            "By domain",
            "Shares of each domain's problems with their 95 % intervals. Fewer problems, wider intervals.",
            Parts.Table(
                ["domain", "problems", "", .. models.Rows.Select(row => row.Model)],
                domains.SelectMany(domain => ways.Select(way => OfDomain(domain, way, models.Rows))))));
    }

    /// <summary>Each kind of perturbation, pair by pair.</summary>
    public static Html Twins(ReportModels models)
    {
        var rows = models.Rows.Where(row => row.Twins is not null)
            .SelectMany(row => row.Twins!.ByKind.Select(kind => (row.Model, Kind: kind))).ToList();
        return Html.If(rows.Count > 0, () => Parts.Section(
            "Perturbation twins",
            "The same problem with other names and numbers (renamed), with a clause that changes nothing (irrelevant), "
            + "made unsolvable, which the model must say (unsatisfiable), or with another number and its consequences (recomputed). "
            + "Reasoning carries over; pattern matching does not. p: exact McNemar test of original and twin being solved equally often.",
            Parts.Table(
                ["twin", "model", "pairs", "original", "twin", "only original", "only twin", "p"],
                rows.GroupBy(row => row.Kind.Kind)
                    .SelectMany(group =>
                        group.Select((row, i) => OfTwin(i == 0 ? group.Key : "", Parts.Model(row.Model, models), row.Kind))),
                "model")));
    }

    private static Html Pair(ModelComparison comparison, ReportModels models) => Parts.Row(
        Html.Of($"{Parts.Model(comparison.Model, models)} − {Parts.Model(comparison.Against, models)}"),
        [
            Parts.Cell(ReportNumbers.Count(comparison.Problems)),
            .. Difference(comparison.Greedy, comparison.Problems),
            .. Difference(comparison.Sampled, comparison.Problems),
        ]);

    private static Html[] Difference(PairedBootstrap? difference, int problems) => difference is null
        ? [Parts.Absent, Parts.Absent, Parts.Absent]
        :
        [
            Html.Of($"<td class=\"{Class(difference.Interval)}\"><b>{ReportNumbers.Points(difference.Mean, problems)}</b></td>"),
            Parts.Cell(ReportNumbers.PointsRange(difference.Interval, problems)),
            Parts.Cell(ReportNumbers.P(difference.P)),
        ];

    private static Html OfDomain(string domain, string way, IReadOnlyList<EvaluationReport> models)
    {
        var parts = models.Select(model => model.ByDomain.FirstOrDefault(part => part.Domain == domain)).ToList();
        var counts = parts.OfType<DomainReport>().Select(part => part.Problems).Distinct().Select(count => ReportNumbers.Count(count));
        bool greedy = way == Greedy;
        return Parts.Row(
            Html.Of($"{(greedy ? domain : "")}"),
            [
                Parts.Cell(greedy ? string.Join(" or ", counts) : ""),
                Html.Of($"<td class=\"words way\">{way}</td>"),
                .. parts.Select(part => part is null ? Parts.Absent
                    : greedy ? Parts.Share(part.Greedy, part.GreedyInterval95, part.Problems)
                    : Parts.Share(part.PassAt1, part.Interval95, part.Problems)),
            ]);
    }

    private static Html OfTwin(string head, Html model, TwinKindReport kind) => Parts.Row(
        Html.Of($"{head}"),
        Html.Of($"<td class=\"words\">{model}</td>"),
        Parts.Cell(ReportNumbers.Count(kind.Pairs)),
        Parts.Share(kind.Original, kind.Pairs),
        Parts.Share(kind.Perturbed, kind.PerturbedInterval95, kind.Pairs),
        Parts.Cell(ReportNumbers.Count(kind.OnlyOriginal)),
        Parts.Cell(ReportNumbers.Count(kind.OnlyPerturbed)),
        Html.Of($"<td class=\"{Class(kind)}\">{ReportNumbers.P(kind.McNemarP)}</td>"));

    private static string Class(Interval interval) => interval switch
    {
        { Low: > 0 } => "good",
        { High: < 0 } => "bad",
        _ => "open",
    };

    private static string Class(TwinKindReport kind) =>
        kind.McNemarP >= 0.05 ? "open" : kind.OnlyOriginal > kind.OnlyPerturbed ? "bad" : "good";
}
