using CsCheck;
using Distill.Data.Curation;
using Distill.Data.Problems;
using Distill.Data.Tests.Traces;
using Distill.Data.Traces;
using Distill.Verification;

namespace Distill.Data.Tests.Curation;

public sealed class TraceCurationTests
{
    private static readonly ProblemVerifiers Verifiers = new(new EqualityVerifier());

    [Fact]
    public void A_right_answer_is_kept() => ReasonOf(SampleTraces.One()).ShouldBeNull();

    [Fact]
    public void A_wrong_answer_is_dropped_as_wrong() => ReasonOf(SampleTraces.One(answer: "13")).ShouldBe("wrong");

    [Fact]
    public void An_unreadable_answer_is_counted_apart_from_wrong_ones() => ReasonOf(SampleTraces.One(answer: "?")).ShouldBe("undecidable");

    [Fact]
    public void The_token_limit_is_the_reason_even_when_the_answer_is_right() =>
        ReasonOf(SampleTraces.One() with { StopReason = "length" }).ShouldBe("truncated");

    [Theory]
    [InlineData(null)]
    [InlineData("  ")]
    [InlineData("12</think>")]
    [InlineData("<think>12")]
    public void A_completion_without_a_clean_answer_is_malformed(string? answer) =>
        ReasonOf(SampleTraces.One(answer: answer) with { StopReason = "stop" }).ShouldBe("malformed");

    [Fact]
    public void A_mark_spelled_out_in_the_thought_is_text() =>
        ReasonOf(SampleTraces.One(reasoning: "I would end with </think> and then answer")).ShouldBeNull();

    [Fact]
    public void The_second_of_two_equal_traces_is_a_duplicate()
    {
        var result = Run([Sample(0), Sample(1), Sample(2, "5 + 7 = 12")]);

        result.Traces.Select(trace => trace.DropReason).ShouldBe([null, "duplicate", null]);
    }

    [Fact]
    public void A_dropped_trace_does_not_make_its_equal_a_duplicate()
    {
        var result = Run([Sample(0) with { StopReason = "length" }, Sample(1)]);

        result.Traces.Select(trace => trace.DropReason).ShouldBe(["truncated", null]);
    }

    [Fact]
    public void Only_kept_traces_count_towards_the_limit_per_problem()
    {
        var traces = Enumerable.Range(0, 5).Select(i => Sample(i, $"way {i}") with { Answer = i == 0 ? "13" : "12" });

        var result = Run(traces, new CurationOptions { MaxPerProblem = 2 });

        result.Traces.Select(trace => trace.DropReason).ShouldBe(["wrong", null, null, "per_problem_limit", "per_problem_limit"]);
        result.Dropped.ShouldBe(new Dictionary<string, int> { ["per_problem_limit"] = 2, ["wrong"] = 1 });
        result.Kept.ShouldBe(2);
    }

    [Fact]
    public void A_rule_that_is_not_named_does_not_apply() =>
        Run([Sample(0), Sample(1)], new CurationOptions { Rules = ["verdict"] }).Kept.ShouldBe(2);

    [Fact]
    public void An_unknown_rule_is_named() =>
        Should.Throw<ArgumentException>(() => Run([], new CurationOptions { Rules = ["luck"] })).Message.ShouldContain("luck");

    [Fact]
    public void A_verifier_that_does_not_exist_is_named()
    {
        var sample = SampleTraces.One();
        var trace = sample with { Problem = sample.Problem with { Verifier = "astrology" } };

        Should.Throw<InvalidDataException>(() => TraceCuration.Run([trace], ProblemVerifiers.Standard))
            .Message.ShouldContain("'astrology'");
    }

    [Fact]
    public void The_order_of_delivery_changes_nothing()
    {
        var traces = Enumerable.Range(0, 12)
            .Select(i => Sample(i % 4, $"way {i % 3}") with
            {
                Problem = SampleTraces.One(i / 4).Problem,
                Answer = i % 5 == 0 ? "13" : "12",
            })
            .ToArray();
        string expected = Describe(Run(traces, new CurationOptions { MaxPerProblem = 2 }));

        Gen.Shuffle(traces).Sample(shuffled => Describe(Run(shuffled, new CurationOptions { MaxPerProblem = 2 })) == expected, iter: 50);
    }

    [Fact]
    public void Every_trace_comes_out_once_with_the_verifier_that_graded_it()
    {
        var traces = SampleTraces.Many(20);

        var result = Run(traces);

        TraceDigest.OfBag(result.Traces.Select(graded => graded.Trace)).ShouldBe(TraceDigest.OfBag(traces));
        result.Traces.ShouldAllBe(graded => graded.Verifier == "arithmetic" && graded.VerifierVersion == 3);
        (result.Kept + result.Dropped.Values.Sum()).ShouldBe(20);
    }

    private static Trace Sample(int index, string reasoning = "7 + 5 = 12") =>
        SampleTraces.One(reasoning: reasoning) with { SampleIndex = index };

    private static CurationResult Run(IEnumerable<Trace> traces, CurationOptions? options = null) =>
        TraceCuration.Run(traces, Verifiers, options);

    private static string? ReasonOf(Trace trace) => Run([trace]).Traces.Single().DropReason;

    private static string Describe(CurationResult result) =>
        string.Join("\n", result.Traces.Select(graded => $"{TraceDigest.Of(graded.Trace)} {graded.DropReason}"));

    private sealed class EqualityVerifier : IVerifier
    {
        public string Name => "arithmetic";

        public int Version => 3;

        public Verdict Verify(string? answer, IVerifiable problem) =>
            answer is null or "?" ? Verdict.Undecidable : answer == problem.ReferenceAnswer ? Verdict.Correct : Verdict.Incorrect;

        public string? ClassOf(string? answer, IVerifiable problem) => answer;
    }
}
