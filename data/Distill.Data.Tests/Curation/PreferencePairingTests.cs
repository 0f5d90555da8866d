using CsCheck;
using Distill.Data.Curation;
using Distill.Data.Tests.Traces;
using Distill.Data.Traces;
using Distill.Verification;

namespace Distill.Data.Tests.Curation;

public sealed class PreferencePairingTests
{
    [Fact]
    public void A_right_completion_is_paired_with_a_wrong_one_of_its_problem()
    {
        var pair = PreferencePairing.Of([Graded(0, 0, Verdict.Correct), Graded(0, 1, Verdict.Incorrect)], 4, 1).ShouldHaveSingleItem();
        pair.Chosen.SampleIndex.ShouldBe(0);
        pair.Rejected.SampleIndex.ShouldBe(1);
    }

    [Fact]
    public void Problems_solved_always_or_never_give_no_pair()
    {
        GradedTrace[] solved = [Graded(0, 0, Verdict.Correct), Graded(0, 1, Verdict.Correct)];
        GradedTrace[] failed = [Graded(1, 0, Verdict.Incorrect), Graded(1, 1, Verdict.Incorrect)];
        PreferencePairing.Of([.. solved, .. failed], 4, 1).ShouldBeEmpty();
    }

    [Fact]
    public void What_was_truncated_or_could_not_be_read_is_not_paired()
    {
        GradedTrace[] first = [Graded(0, 0, Verdict.Correct), Graded(0, 1, Verdict.Undecidable), Cut(Graded(0, 2, Verdict.Incorrect))];
        GradedTrace[] second = [Graded(1, 0, Verdict.Incorrect), Cut(Graded(1, 1, Verdict.Correct))];
        PreferencePairing.Of([.. first, .. second], 4, 1).ShouldBeEmpty();
    }

    [Fact]
    public void Completions_that_say_the_same_count_once()
    {
        var graded = Graded(0, 1, Verdict.Incorrect);
        var again = graded with { Trace = graded.Trace with { SampleIndex = 2, Reasoning = graded.Trace.Reasoning + " " } };
        PreferencePairing.Of([Graded(0, 0, Verdict.Correct), graded, again], 4, 1).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(9, 5)] // each of the five wrong ones once; the two right ones serve in turn
    public void A_problem_gives_at_most_so_many_pairs_and_none_twice(int limit, int expected)
    {
        var pairs = PreferencePairing.Of(Mixed(1), limit, 1);
        pairs.Count.ShouldBe(expected);
        pairs.Select(pair => (pair.Chosen.SampleIndex, pair.Rejected.SampleIndex)).ShouldBeUnique();
        pairs.Take(2).Select(pair => pair.Chosen.SampleIndex).ShouldBeUnique();
        pairs.Select(pair => pair.Rejected.SampleIndex).ShouldBeUnique();
    }

    [Fact]
    public void The_seed_draws_and_the_order_of_delivery_does_not()
    {
        var traces = Mixed(6);
        string expected = Describe(PreferencePairing.Of(traces, 1, 1));
        Gen.Shuffle(traces).Sample(shuffled => Describe(PreferencePairing.Of(shuffled, 1, 1)) == expected, iter: 50);
        Describe(PreferencePairing.Of(traces, 1, 2)).ShouldNotBe(expected);
    }

    [Fact]
    public void A_limit_below_one_is_refused() => Should.Throw<ArgumentOutOfRangeException>(() => PreferencePairing.Of([], 0, 1));

    private static GradedTrace[] Mixed(int problems) =>
    [
        .. from problem in Enumerable.Range(0, problems)
           from sample in Enumerable.Range(0, 7)
           select Graded(problem, sample, sample < 2 ? Verdict.Correct : Verdict.Incorrect),
    ];

    private static GradedTrace Graded(int problem, int sample, Verdict verdict)
    {
        var trace = SampleTraces.One(problem, reasoning: $"way {sample}") with { SampleIndex = sample };
        return new GradedTrace(trace, verdict, "equality", 1, Keep: true, DropReason: null);
    }

    private static GradedTrace Cut(GradedTrace graded) => graded with { Trace = graded.Trace with { StopReason = "length" } };

    private static string Describe(IReadOnlyList<TracePair> pairs) =>
        string.Join('\n', pairs.Select(pair => $"{pair.Chosen.Problem.Id} {pair.Chosen.SampleIndex} {pair.Rejected.SampleIndex}"));
}
