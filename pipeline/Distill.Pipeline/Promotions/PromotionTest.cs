using System.Globalization;
using Distill.Evaluation.Statistics;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Promotions;

/// <summary>Two models' greedy answers to one held-out problem.</summary>
/// <param name="Before">Whether the model in place (or the base) solves it.</param>
/// <param name="After">Whether the candidate does.</param>
internal readonly record struct PairedAnswer(string Domain, bool Before, bool After);

/// <summary>
/// The statistical half of a promotion: counts in, verdicts out, nothing read and nothing written. Every check must pass and each is wrong
/// with at most 5 %, so that a model that loses its margin anywhere is promoted with at most 5 % (an intersection–union test: no
/// correction for their number).
/// </summary>
internal sealed class PromotionTest(PromotionSection rules)
{
    private const string OtherDomains = "other domains", AgainstBase = "against the base";

    /// <summary>What is asked for, in words.</summary>
    public string RuleAgainst(bool isFirst) => (isFirst, rules.First, rules.Require) switch
    {
        (true, FirstPromotion.BetterThanBase, _) => "the first in its place: better than its base",
        (true, _, _) => "the first in its place: parity alone",
        (_, _, PromotionRequirement.Better) =>
            $"better than the one in place, losing less than {Points(rules.DomainMargin)} in each domain",
        _ => $"losing less than {Points(rules.Margin)} against the one in place, and less than {Points(rules.DomainMargin)} in each domain",
    };

    /// <summary>Against the model in place: all problems together, then each domain.</summary>
    public IEnumerable<PromotionCheck> Against(IReadOnlyList<PairedAnswer> answers)
    {
        if (answers.Count == 0)
        {
            yield return NothingAsked("all problems");
            yield break;
        }

        double margin = rules.Require == PromotionRequirement.Better ? 0 : rules.Margin;
        yield return Check("all problems", Count(answers), margin);
        foreach (var (domain, part) in Domains(answers)) yield return Check(domain, Count(part), rules.DomainMargin);
    }

    /// <summary>Domains that are in no check but that of all problems, in a sentence; null where there are none.</summary>
    public string? Untested(IReadOnlyList<PairedAnswer> answers)
    {
        var small = Small(answers).ToList();
        return small.Count == 0 || small.Sum(domain => domain.Answers.Count) >= rules.DomainProblems ? null
            : "Too few test problems to be tested by themselves: "
                + string.Join(", ", small.Select(domain => $"{domain.Name} ({ReportNumbers.Count(domain.Answers.Count)})")) + ".";
    }

    /// <summary>Of the first model in its place, against the base that it was trained from.</summary>
    public IEnumerable<PromotionCheck> First(IReadOnlyList<PairedAnswer> answers) =>
        rules.First == FirstPromotion.Any ? []
            : [answers.Count == 0 ? NothingAsked(AgainstBase) : Check(AgainstBase, Count(answers), margin: 0)];

    private static PromotionCheck NothingAsked(string name) =>
        new(name, false, "there is no held-out problem that both models can be asked");

    /// <summary>What must be shown of every model.</summary>
    public IEnumerable<PromotionCheck> Floor(IReadOnlyList<PairedAnswer> answers)
    {
        if (rules.Minimum == 0) yield break;
        int n = answers.Count, solved = answers.Count(answer => answer.After);
        double certain = n == 0 ? 0 : Proportion.Wilson(solved, n, PairedLoss.Z95).Low;
        yield return new PromotionCheck("minimum", certain >= rules.Minimum,
            $"solves {ReportNumbers.Percent(n == 0 ? 0 : (double)solved / n, n)} of {n:N0} problems, at least "
            + $"{ReportNumbers.Percent(certain, n)} with 95 % confidence; {ReportNumbers.Percent(rules.Minimum, n)} asked for");
    }

    // Domains too small to say anything by themselves are one together.
    private IEnumerable<(string Name, IReadOnlyList<PairedAnswer> Answers)> Domains(IReadOnlyList<PairedAnswer> answers)
    {
        var domains = ByName(answers);
        if (domains.Count < 2) yield break; // then it is all problems
        foreach (var (name, part) in domains.Where(domain => domain.Answers.Count >= rules.DomainProblems))
            yield return ($"domain {name}", part);
        List<PairedAnswer> small = [.. Small(answers).SelectMany(domain => domain.Answers)];
        if (small.Count >= rules.DomainProblems && small.Count < answers.Count) yield return (OtherDomains, small);
    }

    private IEnumerable<(string Name, List<PairedAnswer> Answers)> Small(IReadOnlyList<PairedAnswer> answers) =>
        ByName(answers) is { Count: > 1 } domains ? domains.Where(domain => domain.Answers.Count < rules.DomainProblems) : [];

    private static List<(string Name, List<PairedAnswer> Answers)> ByName(IReadOnlyList<PairedAnswer> answers) =>
    [
        .. answers.GroupBy(answer => answer.Domain, StringComparer.Ordinal).OrderBy(domain => domain.Key, StringComparer.Ordinal)
            .Select(domain => (domain.Key, domain.ToList())),
    ];

    private static PairedLoss Count(IReadOnlyList<PairedAnswer> answers) =>
        PairedLoss.Of([.. answers.Select(answer => answer.Before)], [.. answers.Select(answer => answer.After)]);

    private static PromotionCheck Check(string name, PairedLoss paired, double margin)
    {
        int n = paired.Problems;
        bool passed = paired.IsBelow(margin);
        string asked = margin == 0 ? "better" : $"a loss below {Points(margin)}";
        string more = !passed && paired.ProblemsFor(margin) is { } needed && needed > n
            ? $"; if the models differ as they do here, about {ReportNumbers.Count(needed)} problems would show it" : "";
        return new PromotionCheck(name, passed,
            $"{name}: {ReportNumbers.Points(paired.Difference, n)} points over {ReportNumbers.Count(n)} problems "
            + $"({paired.OnlyAfter} won, {paired.OnlyBefore} lost), at least {ReportNumbers.Points(paired.LowerBound(), n)} with 95 % "
            + $"confidence; {asked} {(passed ? "is shown" : "is not shown")}{more}", paired);
    }

    private static string Points(double margin) => $"{(margin * 100).ToString("0.##", CultureInfo.InvariantCulture)} points";
}

/// <summary>What became of a model that was to be promoted.</summary>
internal enum PromotionOutcome
{
    /// <summary>It is what applications load.</summary>
    Promoted,

    /// <summary>Something else stays in place, for the reasons that the checks give.</summary>
    Refused,
}

/// <summary>One thing that had to hold.</summary>
/// <param name="Name">E.g. <c>parity</c>, <c>all problems</c>, <c>domain words</c>.</param>
/// <param name="Text">What was found, and what was asked for, in words.</param>
/// <param name="Paired">The counts behind it; null where it is no comparison.</param>
internal sealed record PromotionCheck(string Name, bool Passed, string Text, PairedLoss? Paired = null);

/// <summary>Why a model was promoted or not: part of the run's report, and kept beside the promoted model.</summary>
/// <param name="Place">The name of the place, without its folders.</param>
/// <param name="Version">The version that it became; null where it was refused.</param>
/// <param name="Incumbent">The version that it was compared with; null where there was none.</param>
/// <param name="Rule">What was asked for, in words.</param>
/// <param name="Checks">All of them, in the order they were made.</param>
internal sealed record PromotionReport(
    PromotionOutcome Outcome, string Place, int? Version, int? Incumbent, string Rule, IReadOnlyList<PromotionCheck> Checks)
{
    /// <summary>What is to be known besides, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The verdict in one sentence.</summary>
    public string Sentence => Outcome == PromotionOutcome.Promoted
        ? Incumbent is { } before ? $"promoted to '{Place}' as version {Version}, after version {before}"
            : $"promoted to '{Place}' as version {Version}, the first"
        : $"not promoted to '{Place}': " + string.Join("; ", Checks.Where(check => !check.Passed).Select(check => check.Text));
}
