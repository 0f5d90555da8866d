using Distill.Evaluation;
using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Results;

/// <summary>One recipe over several seeds as Markdown: every model, every seed, means with intervals, domains.</summary>
internal static class SeedTable
{
    private const ulong BootstrapSeed = 1;

    public static string Of(SeedRuns runs)
    {
        string[] header =
        [
            "model", .. runs.Names.Select(name => $"greedy, {name}"), "greedy, mean", "sampled pass@1, mean", "originals → twins",
            "of the way from base to teacher",
        ];
        string[] domains = [.. Domains(runs)];
        var rows = runs.Models.Rows;
        var byDomain = rows.Select(row => (IReadOnlyList<string>)[row.Model, .. domains.Select(domain => Domain(runs, row.Model, domain))]);
        return new ReportTable(header, [.. rows.Select(row => Row(runs, row))]).ToMarkdown()
            + "\nThe same domain by domain (greedy, mean):\n\n"
            + new ReportTable(["model", .. domains.Select(domain => $"{domain} ({DomainProblems(runs, domain)})")],
                [.. byDomain]).ToMarkdown()
            + $"\n{Note(runs)}\n";
    }

    /// <summary>Where a pooled share lies: the problems are the sample, and each counts once.</summary>
    public static Interval IntervalOf(IReadOnlyList<double> shares) => Proportion.Clustered(shares);

    /// <summary>How much of the way a model has gone; null for teacher and base, and where there is no way.</summary>
    public static RecoveredShare? Recovered(SeedRuns runs, string model)
    {
        if (runs.Models.RoleOf(model) is ModelRole.Teacher or ModelRole.Base) return null;
        return runs.Models.RowOf(ModelRole.Base) is { } start && runs.Models.RowOf(ModelRole.Teacher) is { } teacher
            && runs.Greedy(start.Model) is { } before && runs.Greedy(teacher.Model) is { } above && runs.Greedy(model) is { } reached
            ? RecoveredShare.Of(before, above, reached, BootstrapSeed) : null;
    }

    private static IReadOnlyList<string> Row(SeedRuns runs, EvaluationReport row) =>
    [
        row.Model,
        .. runs.Verdicts.Select(each => each.Greedy(row.Model) is { } greedy
            ? ReportNumbers.Percent(greedy.Average(), each.Problems) : ReportNumbers.NotMeasured),
        Share(runs.Greedy(row.Model)),
        Share(runs.Sampled(row.Model)),
        runs.Twinned(row.Model) is var (originals, twins)
            ? $"{ReportNumbers.Number(originals.Average(), originals.Count)} → {ReportNumbers.Percent(twins.Average(), twins.Count)}"
            : ReportNumbers.NotMeasured,
        Recovered(runs, row.Model) is { } recovered
            ? $"{ReportNumbers.Percent(recovered.Share, runs.Problems)} [{ReportNumbers.Range(recovered.Interval95, runs.Problems)}]"
            : ReportNumbers.NotMeasured,
    ];

    private static string Share(IReadOnlyList<double>? shares) => shares is null ? ReportNumbers.NotMeasured
        : $"{ReportNumbers.Percent(shares.Average(), shares.Count)} [{ReportNumbers.Range(IntervalOf(shares), shares.Count)}]";

    private static IEnumerable<string> Domains(SeedRuns runs) => runs.Runs.SelectMany(run => run.Evaluations)
        .SelectMany(row => row.ByDomain).Select(domain => domain.Domain).Distinct().Order(StringComparer.Ordinal);

    private static IEnumerable<DomainReport> Parts(SeedRuns runs, string domain) =>
        runs.Runs.SelectMany(run => run.Evaluations[0].ByDomain).Where(part => part.Domain == domain);

    private static string DomainProblems(SeedRuns runs, string domain) => runs.ShareProblems
        ? ReportNumbers.Count(Parts(runs, domain).First().Problems) : ReportNumbers.Count(Parts(runs, domain).Sum(part => part.Problems));

    /// <summary>Mean over the runs of a model's greedy share of a domain.</summary>
    public static string Domain(SeedRuns runs, string model, string domain)
    {
        DomainReport[] parts = [.. runs.Runs.SelectMany(run => run.Evaluations).Where(row => row.Model == model)
            .SelectMany(row => row.ByDomain).Where(part => part.Domain == domain)];
        return parts.Length == 0 ? ReportNumbers.NotMeasured
            : ReportNumbers.Percent(
                parts.Average(part => part.Greedy), runs.ShareProblems ? parts[0].Problems : parts.Sum(part => part.Problems));
    }

    private static string Note(SeedRuns runs)
    {
        string problems = runs.ShareProblems
            ? $"{ReportNumbers.Count(runs.Problems)} held-out problems, the same for every seed"
            : $"{ReportNumbers.Count(runs.Problems)} held-out problems, other ones for every seed";
        var twins = runs.Models.Rows.Select(row => row.Twins).FirstOrDefault(each => each is not null);
        string twinned = twins is null ? ""
            : $"; {ReportNumbers.Count(twins.Twins)} twins of {ReportNumbers.Count(twins.Problems)} of them";
        int samples = runs.Models.Rows.Select(row => row.Samples).DefaultIfEmpty().Max();
        string seeds = runs.Runs.Count == 1 ? "1 seed" : $"{ReportNumbers.Count(runs.Runs.Count)} seeds";
        return $"{problems}, {ReportNumbers.Count(samples)} samples of each{twinned}. Means are over {seeds}; brackets are 95 % intervals "
            + "over problems, of which each counts once with its mean over the seeds. How far seeds lie apart is seen in their columns.";
    }
}
