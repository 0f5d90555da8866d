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
    private const string OtherDomains = "other domains";

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
            yield return new PromotionCheck("all problems", false, "there is no held-out problem that both models can be asked");
            yield break;
        }

        double margin = rules.Require == PromotionRequirement.Better ? 0 : rules.Margin;
        yield return Check("all problems", Count(answers), margin);
        foreach (var (domain, part) in Domains(answers)) yield return Check(domain, Count(part), rules.DomainMargin);
    }

    /// <summary>Of the first model in its place, against the base that it was trained from.</summary>
    public IEnumerable<PromotionCheck> First(IReadOnlyList<PairedAnswer> answers) =>
        rules.First == FirstPromotion.Any ? [] : [Check("against the base", Count(answers), margin: 0)];

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
        var domains = answers.GroupBy(answer => answer.Domain, StringComparer.Ordinal).OrderBy(domain => domain.Key, StringComparer.Ordinal)
            .Select(domain => (domain.Key, Answers: domain.ToList())).ToList();
        if (domains.Count < 2) yield break; // then it is all problems
        foreach (var (name, part) in domains.Where(domain => domain.Answers.Count >= rules.DomainProblems))
            yield return ($"domain {name}", part);
        List<PairedAnswer> small = [.. domains.Where(domain => domain.Answers.Count < rules.DomainProblems)
            .SelectMany(domain => domain.Answers)];
        if (small.Count >= rules.DomainProblems && small.Count < answers.Count) yield return (OtherDomains, small);
    }

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
