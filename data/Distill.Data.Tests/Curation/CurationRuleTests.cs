using Distill.Data.Curation;
using Distill.Data.Problems;
using Distill.Data.Similarity;
using Distill.Data.Tests.Traces;
using Distill.Data.Traces;
using Distill.Verification;

namespace Distill.Data.Tests.Curation;

/// <summary>Each rule by a trace that it drops and one that it lets pass; all but the first group are off without their number.</summary>
public sealed class CurationRuleTests
{
    [Theory]
    [InlineData("content_filter", null, "content_filter")]
    [InlineData("tool_calls", "calls a tool: search", "tool_call")]
    [InlineData("refusal", "I can't help with that.", "refusal")]
    [InlineData("stop", "I can't help with that.", "refusal")]
    [InlineData("empty", null, "empty")]
    [InlineData("stop", null, "malformed")]
    [InlineData("length", "I can't", "truncated")]
    public void Each_kind_of_no_answer_has_its_own_reason(string stop, string? refusal, string reason) =>
        ReasonOf(SampleTraces.One(answer: null) with { StopReason = stop, Refusal = refusal }, new()).ShouldBe(reason);

    [Fact]
    public void A_completion_that_says_nothing_at_all_is_empty() =>
        ReasonOf(SampleTraces.One(answer: null, reasoning: " ") with { StopReason = "stop" }, new()).ShouldBe("empty");

    [Fact]
    public void A_reference_that_no_verifier_can_read_is_not_the_teacher_s_fault()
    {
        var trace = SampleTraces.One(answer: "13");
        ReasonOf(trace with { Problem = trace.Problem with { ReferenceAnswer = "about a dozen" } }, new()).ShouldBe("unreadable_reference");
        ReasonOf(trace, new()).ShouldBe("wrong");
    }

    [Theory]
    [InlineData(13, "too_short")]
    [InlineData(14, null)]
    [InlineData(20, null)]
    [InlineData(21, "too_long")]
    public void Lengths_outside_the_band_are_dropped(int tokens, string? reason) =>
        ReasonOf(SampleTraces.One() with { CompletionTokens = tokens }, new() { MinTokens = 14, MaxTokens = 20 }).ShouldBe(reason);

    [Theory]
    [InlineData("What is 7 + 5 now?", "Seven and five are 12", null)]
    [InlineData("What is 7 + 5 now?", "七加五等于十二", "language")]
    [InlineData("What is 7 + 5 now?", "let π ≈ 3.14, α = β: angles as ever 好", null)] // Greek is mathematics; one letter of many
    [InlineData("七加五等于多少?", "七加五等于十二", null)]
    [InlineData("七加五等于多少?", "seven and five are twelve", "language")]
    [InlineData("7 + 5 = ?", "семь", null)] // a problem without letters is in no language
    public void Another_script_than_the_problem_s_is_a_broken_language(string problem, string reasoning, string? reason)
    {
        var trace = SampleTraces.One(reasoning: reasoning);
        ReasonOf(trace with { Problem = trace.Problem with { Text = problem } }, new() { MaxForeignLetters = 0.1 }).ShouldBe(reason);
    }

    [Theory]
    [InlineData(@"\boxed{12}", true)]
    [InlineData(@"so \boxed{\frac{24}{2}}", true)]
    [InlineData(@"\boxed{12", false)]
    [InlineData("12", false)]
    public void A_box_is_asked_for_where_it_was_asked_for(string answer, bool passes) => (RuleReason(
        new BoxedRule(), SampleTraces.One(answer: answer)) is null).ShouldBe(passes);

    [Fact]
    public void A_text_that_ends_in_a_circle_is_dropped()
    {
        var options = new CurationOptions { Loops = 4 };
        string circle = string.Concat(Enumerable.Repeat("wait, let me check that again. ", 5));
        ReasonOf(SampleTraces.One(reasoning: "7 + 5 = 12. " + circle), options).ShouldBe("repetition");
        ReasonOf(SampleTraces.One(reasoning: circle + "No: it is simply 12, and that was all there was to find."), options).ShouldBeNull();
        ReasonOf(SampleTraces.One(reasoning: "1 + 1 + 1 + 1 + 1 = 5"), options).ShouldBeNull(); // few words are no circle
        ReasonOf(SampleTraces.One(reasoning: new string('a', 50_000)), options).ShouldBeNull();
    }

    [Fact]
    public void A_text_of_lines_said_before_is_dropped()
    {
        var options = new CurationOptions { MaxRepeatedLines = 0.5 };
        string lines = string.Concat(Enumerable.Range(0, 12).Select(i => $"line {i % 4}\n\n"));
        ReasonOf(SampleTraces.One(reasoning: lines), options).ShouldBe("repetition");
        string fewer = string.Concat(Enumerable.Range(0, 12).Select(i => $"line {i % 8}\n"));
        ReasonOf(SampleTraces.One(reasoning: fewer), options).ShouldBeNull();
    }

    [Fact]
    public void What_a_test_problem_says_may_not_be_trained_on()
    {
        var evidence = new CurationEvidence { TestProblems = new GramIndex(["a b c d e f g h i j"], 8) };
        Trace one = SampleTraces.One(), meets = SampleTraces.One(reasoning: "as in: A b c d e f g, h");
        Reasons([one, meets with { SampleIndex = 1 }], new(), evidence).ShouldBe([null, "contaminated"]);
    }

    [Fact]
    public void What_the_student_finds_too_unlikely_or_too_likely_is_dropped()
    {
        var traces = Enumerable.Range(0, 4).Select(i => SampleTraces.One(reasoning: $"way {i}") with { SampleIndex = i }).ToList();
        var scores = new LearnabilityScores(
            [.. new[] { -4f, -1f, -0.01f }.Select((mean, i) => new LearnabilityScore(traces[0].Problem.Id, i, mean, 14))]);
        var options = new CurationOptions { MinLogProbability = -3, MaxLogProbability = -0.05 };
        Reasons(traces, options, new CurationEvidence { Learnability = scores }).ShouldBe(["too_surprising", null, "too_familiar", null]);
    }

    [Fact]
    public void Two_scores_of_one_trace_are_refused() => Should.Throw<InvalidDataException>(
        () => new LearnabilityScores([new("p", 1, -1, 3), new("p", 1, -2, 3)])).Message.ShouldContain("'p'");

    private static string? ReasonOf(Trace trace, CurationOptions options) => Reasons([trace], options).Single();

    private static string?[] Reasons(IReadOnlyList<Trace> traces, CurationOptions options, CurationEvidence? evidence = null) =>
    [
        .. TraceCuration.Run(traces, new ProblemVerifiers(new NumberVerifier()), options, evidence ?? CurationEvidence.None)
            .Traces.Select(graded => graded.DropReason),
    ];

    private static string? RuleReason(ITraceRule rule, Trace trace) => rule.DropReason(trace, Verdict.Correct);

    private sealed class NumberVerifier : IVerifier
    {
        public string Name => "arithmetic";

        public int Version => 1;

        public Verdict Verify(string? answer, IVerifiable problem) => !int.TryParse(answer, out int value) ? Verdict.Undecidable
            : int.TryParse(problem.ReferenceAnswer, out int right) && value == right ? Verdict.Correct : Verdict.Incorrect;

        public string? ClassOf(string? answer, IVerifiable problem) => answer;
    }
}
