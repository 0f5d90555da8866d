using Distill.Data.Curation;
using Distill.Data.Problems;
using Distill.Data.Tests.Traces;
using Distill.Data.Traces;

namespace Distill.Data.Tests.Curation;

/// <summary>What is decided between the traces of a question, and between domains.</summary>
public sealed class QuestionRuleTests
{
    [Theory]
    [InlineData(0, 0.99, "too_easy")]
    [InlineData(1, 0.99, null)]
    [InlineData(3, 0.99, "too_hard")]
    [InlineData(3, 1.0, "too_hard")]
    public void Questions_outside_the_band_of_pass_rates_are_dropped(int wrong, double most, string? reason)
    {
        var traces = Enumerable.Range(0, 4).Select(i => Sample(i, i < wrong ? "13" : "12"));
        Reasons(traces, new() { MinPassRate = 0.3, MaxPassRate = most }).Last().ShouldBe(reason);
    }

    [Fact]
    public void Traces_that_resemble_each_other_count_as_one()
    {
        string way = string.Join(' ', Enumerable.Range(0, 80).Select(i => $"step{i}"));
        Trace[] traces = [Sample(0) with { Reasoning = way }, Sample(1) with { Reasoning = way + " done" }, Sample(2)];
        Reasons(traces, new() { NearDuplicates = 0.8 }).ShouldBe([null, "near_duplicate", null]);
        Reasons(traces, new()).ShouldBe([null, null, null]);
    }

    [Fact]
    public void The_shortest_right_ones_are_kept()
    {
        int[] lengths = [30, 10, 20, 10, 5];
        var traces = lengths.Select((length, i) => Sample(i, i == 4 ? "13" : "12") with { CompletionTokens = length });
        Reasons(traces, new() { Select = TraceSelection.Shortest, MaxPerProblem = 2 })
            .ShouldBe(["per_problem_limit", null, "per_problem_limit", null, "wrong"]);
    }

    [Fact]
    public void The_ones_that_differ_most_are_kept()
    {
        string[] ways = ["a b c d e f g h i j k", "a b c d e f g h i j l", "one two three four five six", "a b c d e f g h i j m"];
        var traces = ways.Select((way, i) => Sample(i) with { Reasoning = way });
        Reasons(traces, new() { Select = TraceSelection.Diverse, MaxPerProblem = 2 })
            .ShouldBe([null, "per_problem_limit", null, "per_problem_limit"]);
    }

    [Fact]
    public void Domains_are_brought_to_their_shares_by_the_scarcest()
    {
        var kept = Kept(new() { Mixture = new Dictionary<string, double> { ["arithmetic"] = 1, ["words"] = 3 } });
        kept.ShouldBe(new Dictionary<string, int> { ["arithmetic"] = 6, ["words"] = 18, ["logic"] = 5 });
        Kept(new() { Mixture = new Dictionary<string, double> { ["arithmetic"] = 1, ["logic"] = 0, ["absent"] = 1 } })
            .ShouldBe(new Dictionary<string, int> { ["arithmetic"] = 40, ["words"] = 18 });
    }

    [Fact]
    public void The_seed_draws_what_goes()
    {
        var mixture = new Dictionary<string, double> { ["arithmetic"] = 1, ["words"] = 1 };
        string[] one = Dropped(new() { Mixture = mixture, Seed = 1 }), again = Dropped(new() { Mixture = mixture, Seed = 1 });
        one.ShouldBe(again);
        Dropped(new() { Mixture = mixture, Seed = 2 }).ShouldNotBe(one);
        one.Length.ShouldBe(22);
    }

    private static string[] Dropped(CurationOptions options) =>
        [.. Mixed(options).Where(graded => graded.DropReason == "mixture").Select(graded => graded.Trace.Problem.Id)];

    private static Dictionary<string, int> Kept(CurationOptions options) => Mixed(options).Where(graded => graded.Keep)
        .GroupBy(graded => graded.Trace.Problem.Domain).ToDictionary(domain => domain.Key, domain => domain.Count());

    private static IReadOnlyList<GradedTrace> Mixed(CurationOptions options)
    {
        string[] domains = [.. Enumerable.Repeat("arithmetic", 40), .. Enumerable.Repeat("words", 18), .. Enumerable.Repeat("logic", 5)];
        var traces = domains.Select((domain, i) => SampleTraces.One(i) is var trace
            ? trace with { Problem = trace.Problem with { Domain = domain } } : trace);
        return TraceCuration.Run(traces, ProblemVerifiers.Standard, options).Traces;
    }

    private static Trace Sample(int index, string answer = "12") =>
        SampleTraces.One(answer: answer, reasoning: $"way {index}") with { SampleIndex = index };

    private static IEnumerable<string?> Reasons(IEnumerable<Trace> traces, CurationOptions options) =>
        TraceCuration.Run(traces, ProblemVerifiers.Standard, options).Traces.Select(graded => graded.DropReason);
}
