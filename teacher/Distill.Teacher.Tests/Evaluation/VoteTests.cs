using CsCheck;
using Distill.Evaluation.Strategies;

namespace Distill.Teacher.Tests.Evaluation;

public sealed class VoteTests
{
    [Fact]
    public void A_decided_vote_stays_as_it_is_whatever_comes() =>
        Gen.Select(Gen.Char["abc-"].Array[1, 9], Gen.Char["abc-"].Array[0, 9]).Sample((first, rest) =>
        {
            Vote early = Count(first), full = Count([.. first, .. rest]);
            if (early.IsDecided(rest.Length)) full.Winner.ShouldBe(early.Winner);
        }, iter: 5000);

    [Fact]
    public void An_open_vote_can_still_turn_or_tie() => Gen.Char["abc-"].Array[1, 7].Sample(first =>
    {
        Vote vote = Count(first);
        for (int more = 1; more < 5; more++)
        {
            if (vote.IsDecided(more)) continue;
            char[] others = ['a', 'b', 'c', 'd'];
            others.Any(
                other =>
                    Count(
                        [.. first, .. Enumerable.Repeat(other, more)],
                        [.. first.Select(_ => -1.0), .. Enumerable.Repeat(0.0, more)]).Winner != vote.Winner)
                .ShouldBeTrue();
        }
    });

    [Fact]
    public void Nobody_wins_when_nobody_votes() => Count(['-', '-']).Winner.ShouldBeNull();

    [Fact]
    public void A_tie_goes_to_what_the_model_thought_more_probable() => Count(['a', 'b'], [-2, -1]).Winner.ShouldBe("B");

    private static Vote Count(char[] votes, double[]? logProbabilities = null)
    {
        var vote = new Vote();
        for (int i = 0; i < votes.Length; i++)
            vote.Add(votes[i] == '-' ? null : votes[i].ToString(), votes[i].ToString().ToUpperInvariant(), logProbabilities?[i] ?? -1);
        return vote;
    }
}
