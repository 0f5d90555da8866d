using CsCheck;

namespace Distill.Teacher.Tests.Traces;

/// <summary>Which samples are asked, by verdicts alone.</summary>
public sealed class SamplingPolicyTests
{
    // [problem][sample], r right, w wrong; what is asked of each.
    [Theory]
    [InlineData(4, null, null, "rrrr wwww rwrw", "4 4 4")]
    [InlineData(4, 1, null, "rrrr wwww wwrw", "1 4 3")]
    [InlineData(4, 2, null, "rrrr rwwr wwww", "2 4 4")]
    [InlineData(6, 2, 3, "wwwrrr wwrwwr rrwwww", "3 6 2")]
    [InlineData(6, null, 2, "wwrrrr wrwwww", "2 6")]
    public void Rounds_ask_until_a_problem_is_settled(int samples, int? accepted, int? giveUp, string verdicts, string asked)
    {
        var policy = new SamplingPolicy { Samples = samples, Accepted = accepted, GiveUpAfter = giveUp };
        string.Join(' ', Ask(policy, verdicts.Split(' ')).Select(tally => tally.Asked)).ShouldBe(asked);
    }

    /// <summary>Asking several at once never asks one that asking one by one would not.</summary>
    [Fact]
    public void Together_or_one_by_one_the_same_samples_are_asked() =>
        Gen.Select(Gen.Int[1, 8], Gen.Int[0, 8], Gen.Int[0, 8], Gen.ULong, (samples, accepted, giveUp, seed) =>
                (samples, accepted, giveUp, seed))
            .Sample(drawn =>
            {
                var policy = new SamplingPolicy
                {
                    Samples = drawn.samples,
                    Accepted = drawn.accepted == 0 ? null : drawn.accepted,
                    GiveUpAfter = drawn.giveUp == 0 ? null : drawn.giveUp,
                };
                string verdicts = string.Concat(Enumerable.Range(0, 8).Select(i => (drawn.seed >> i & 1) == 1 ? 'r' : 'w'));
                var tally = new ProblemTally();
                while (policy.IsOpen(tally)) tally = tally.With(verdicts[tally.Asked] == 'r');
                Ask(policy, [verdicts])[0].ShouldBe(tally);
            });

    [Theory]
    [InlineData(0, 4, 0)]
    [InlineData(1, 4, 1)]
    [InlineData(1, 3, 2)]
    [InlineData(2, 4, 2)]
    [InlineData(3, 4, 3)]
    [InlineData(4, 4, 4)]
    [InlineData(2, 2, 4)]
    public void Difficulty_is_the_share_solved(int right, int asked, int difficulty) =>
        new ProblemTally(asked, right).Class.ShouldBe(difficulty);

    [Fact]
    public void Balance_spends_further_samples_on_what_is_solved_less_often()
    {
        var policy = new SamplingPolicy { Samples = 8, IsBalanced = true };
        string[] verdicts = [.. Enumerable.Repeat("rrrrrrrr", 6), "rwrwrwrw", "wrwwrwww", "wwwwwwww"];
        var tallies = Ask(policy, verdicts);
        tallies.Take(6).ShouldAllBe(tally => tally.Asked == 2);
        tallies[6].Asked.ShouldBe(8);
        tallies[7].Asked.ShouldBe(8);
        tallies[8].Asked.ShouldBe(8);
        var capped = Ask(policy with { GiveUpAfter = 4, Accepted = 2 }, verdicts);
        string.Join(' ', capped.Skip(6).Select(tally => tally.Asked)).ShouldBe("3 5 4");
    }

    [Theory]
    [InlineData(4, null, null, 0.3, 4)]
    [InlineData(4, 1, null, 1, 1)]
    [InlineData(4, 1, null, 0, 4)]
    [InlineData(4, 1, null, 0.5, 1.875)]
    [InlineData(8, 2, 2, 0, 2)]
    [InlineData(3, 2, null, 0.5, 2.75)]
    public void Expected_samples(int samples, int? accepted, int? giveUp, double probability, double expected) =>
        new SamplingPolicy { Samples = samples, Accepted = accepted, GiveUpAfter = giveUp }
            .ExpectedSamples(probability).ShouldBe(expected, 1e-12);

    [Fact]
    public void Shares_of_a_budget_add_up_to_it() =>
        Gen.Select(Gen.Long[0, 1_000_000_000_000_000], Gen.Int[1, 5000], Gen.Int[1, 700]).Sample((tokens, problems, part) =>
        {
            var budget = new SampleBudget(tokens, tokens);
            long sum = 0;
            decimal cost = 0;
            for (int first = 0; first < problems; first += part)
            {
                var share = budget.Share(first, Math.Min(problems, first + part), problems);
                share.Tokens!.Value.ShouldBeGreaterThanOrEqualTo(0);
                (sum, cost) = (sum + share.Tokens.Value, cost + share.Cost!.Value);
            }

            sum.ShouldBe(tokens);
            cost.ShouldBe(tokens, 1e-3m);
        }, iter: 200);

    [Fact]
    public void What_is_held_back_is_never_exceeded()
    {
        var spending = new SampleSpending(new SampleBudget(1000, null), worstTokens: 100);
        spending.Room.ShouldBe(10);
        spending.Begin(10);
        (spending.Room, spending.IsSpent).ShouldBe((0, false));
        for (int i = 0; i < 10; i++) spending.End(30);
        spending.Room.ShouldBe(7);
        spending.Begin(7);
        for (int i = 0; i < 7; i++) spending.End(95);
        (spending.Room, spending.IsSpent).ShouldBe((0, true));
        new SampleSpending(new SampleBudget(null, 1m), 100, 0.3m).Room.ShouldBe(3);
        new SampleSpending(SampleBudget.None, 100, 0.3m).Room.ShouldBe(int.MaxValue);
    }

    private static ProblemTally[] Ask(SamplingPolicy policy, string[] verdicts)
    {
        var rounds = new SampleRounds(policy, verdicts.Length);
        while (rounds.Next() is { Count: > 0 } orders)
        {
            foreach (var order in orders)
            {
                rounds.Tallies[order.Problem].Asked.ShouldBe(order.First);
                for (int sample = order.First; sample < order.First + order.Count; sample++)
                    rounds.Answered(order.Problem, verdicts[order.Problem][sample] == 'r');
            }
        }

        return [.. rounds.Tallies];
    }
}
