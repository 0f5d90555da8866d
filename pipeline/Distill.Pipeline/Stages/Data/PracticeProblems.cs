using Distill.Data.Problems;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// Problems that reinforcement alone asks: new ones, in the shares that their kinds usually have. A kind is a source, a level, and an
/// answer if many have it: what a family has left when much of it is drawn may be of one answer ("impossible") alone, and a student that
/// is rewarded for one answer gives it always. Where a kind has too few new ones, some that training has too are asked.
/// </summary>
/// <param name="Trained">How many of them training has too.</param>
internal sealed record PracticeProblems(IReadOnlyList<Problem> Problems, int Trained)
{
    /// <summary>An answer to so large a share of a source's problems of one level makes a kind, if it is not a matter of chance.</summary>
    private const double Often = 0.05;

    private const int NoChance = 20;

    /// <param name="trained">What training has.</param>
    /// <param name="usual">Kinds in their usual shares, such as problems as a family gives them, repeats among them.</param>
    /// <param name="drawn">More of the same kinds; those of <paramref name="trained"/> may be among them.</param>
    /// <param name="most">How many are wanted; there are fewer of a kind of which training has too few as well.</param>
    /// <param name="seed">Of the order in which they are mixed.</param>
    public static PracticeProblems Of(
        IReadOnlyList<Problem> trained, IReadOnlyList<Problem> usual, IEnumerable<Problem> drawn, int most, ulong seed)
    {
        var signatures = trained.Select(problem => problem.Signature).ToHashSet(StringComparer.Ordinal);
        var often = OftenAnswered(usual);
        var known = trained.ToLookup(KindOf);
        var fresh = drawn.Where(problem => !signatures.Contains(problem.Signature)).ToLookup(KindOf);
        var kinds = usual.CountBy(KindOf).ToList();
        // Rounding takes one of a kind at most.
        int count = (int)Math.Min(most, kinds.Max(kind => (double)fresh[kind.Key].Count() * usual.Count / kind.Value) + 0.5);
        int[] shares = ProblemSet.Shares([.. kinds.Select(kind => (double)kind.Value)], count);
        var mixed = new List<Problem>();
        int again = 0;
        foreach (var (kind, share) in kinds.Zip(shares))
        {
            Problem[] own = [.. fresh[kind.Key].Take(share)], filling = [.. known[kind.Key].Take(share - own.Length)];
            again += filling.Length;
            mixed.AddRange([.. own, .. filling]);
        }

        new RandomSource("problem set", "practice", seed, count).Shuffle(mixed);
        return new PracticeProblems(mixed, again);

        (string Source, int Level, string Answer) KindOf(Problem problem)
        {
            var kind = (problem.Source, problem.Level, problem.ReferenceAnswer);
            return often.Contains(kind) ? kind : kind with { ReferenceAnswer = "" };
        }
    }

    private static HashSet<(string Source, int Level, string Answer)> OftenAnswered(IReadOnlyList<Problem> problems) =>
    [
        .. from level in problems.GroupBy(problem => (problem.Source, problem.Level))
        let enough = Math.Max(NoChance, Often * level.Count())
        from answer in level.CountBy(problem => problem.ReferenceAnswer)
        where answer.Value >= enough
        select (level.Key.Source, level.Key.Level, answer.Key),
    ];
}
