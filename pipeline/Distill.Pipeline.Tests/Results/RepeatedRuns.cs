using Distill.Evaluation.Statistics;
using Distill.Generation;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Results;

/// <summary>
/// Runs that are known to be equally good, or known not to be, made up and compared by the tests that reports use: how often is a
/// difference claimed? A student solves a problem with a chance whose logit is the problem's difficulty, what this student makes of this
/// problem, and how good it is as a whole.
/// </summary>
internal sealed record RepeatedRuns(IReadOnlyList<RepeatedRuns.Claims> Rows)
{
    public const int Comparisons = 400, Problems = 400, Samples = 4;

    // Spreads in logits: of problems, and of what another training makes of a problem. Greedy answers are surer than samples.
    private const double Ability = 0.85, Difficulty = 2, Own = 1, Sureness = 3;

    // So far lie seeds apart in the third and fifth kind, in logits: two points of accuracy.
    private const double SeedSpread = 0.13;

    // Five points of accuracy.
    private const double Better = 0.33;

    public const string SameStudent = "one student, asked twice", OtherSeed = "two seeds, equally good as a whole",
        UnequalSeed = "two seeds, one better by luck", BetterStudent = "one recipe 5 points better",
        Groups = "three seeds each, some better by luck", BetterGroup = "three seeds each, one recipe 5 points better";

    private static readonly IReadOnlyList<int[]> Resamples = MeasuredDifference.ResamplesOf(Problems);

    private static readonly Lazy<RepeatedRuns> Once = new(() => new RepeatedRuns(
    [
        Count(SameStudent, 1, 0, 0, isSame: true), Count(OtherSeed, 1, 0, 0), Count(UnequalSeed, 1, SeedSpread, 0),
        Count(BetterStudent, 1, 0, Better), Count(Groups, 3, SeedSpread, 0), Count(BetterGroup, 3, SeedSpread, Better),
    ]));

    public static RepeatedRuns Measured => Once.Value;

    public Claims this[string kind] => Rows.Single(row => row.Kind == kind);

    public string ToMarkdown() => new ReportTable(
        [
            "what is compared", "truth", "greedy claimed, by p", "greedy claimed, by interval", "sampled claimed, by p",
            "sampled claimed, by interval", "verdict claims a difference",
        ],
        [.. Rows.Select(row => (IReadOnlyList<string>)
        [
            row.Kind, $"{ReportNumbers.Points(row.Truth, Problems)} points", Share(row.Greedy), Share(row.GreedyInterval),
            Share(row.Sampled), Share(row.SampledInterval), Share(row.Any),
        ])]).ToMarkdown() + $"\n{ReportNumbers.Count(Comparisons)} comparisons of each kind, {ReportNumbers.Count(Problems)} problems, "
            + $"{ReportNumbers.Count(Samples)} samples of each.\n";

    private static string Share(int claims) => ReportNumbers.Percent((double)claims / Comparisons, Comparisons);

    private static Claims Count(string kind, int runs, double seedSpread, double better, bool isSame = false)
    {
        var found = new List<RecipeComparison>();
        for (int i = 0; i < Comparisons; i++)
        {
            var draw = new Draw(new RandomStream((ulong)i + 1));
            double[] problems = [.. Enumerable.Range(0, Problems).Select(_ => Ability + (Difficulty * draw.Normal()))];
            Answers[] before = [.. Enumerable.Range(0, runs).Select(_ => draw.Student(problems, seedSpread * draw.Normal()))];
            Answers[] after = isSame ? [draw.Again(before[0])]
                : [.. Enumerable.Range(0, runs).Select(_ => draw.Student(problems, better + (seedSpread * draw.Normal())))];
            found.Add(new(
                Difference(before, after, answers => answers.Greedy), Difference(before, after, answers => answers.Sampled)));
        }

        return new(kind, found.Average(each => each.Greedy.Difference),
            found.Count(each => each.Greedy.P < 0.05), found.Count(each => ExcludesNone(each.Greedy)),
            found.Count(each => each.Sampled!.P < 0.05), found.Count(each => ExcludesNone(each.Sampled!)),
            found.Count(each => each.IsClaimed));
    }

    private static bool ExcludesNone(MeasuredDifference difference) => difference.Interval95 is { Low: > 0 } or { High: < 0 };

    private static MeasuredDifference Difference(Answers[] before, Answers[] after, Func<Answers, IReadOnlyList<double>> values) =>
        MeasuredDifference.Of([.. before.Select(values)], [.. after.Select(values)], Resamples);

    /// <param name="Truth">Mean difference of greedy accuracy over all comparisons.</param>
    /// <param name="Greedy">Comparisons whose greedy answers are called different at 5 %.</param>
    /// <param name="GreedyInterval">Those whose 95 % interval excludes no difference: what the sentences of reports go by.</param>
    /// <param name="Sampled">As <paramref name="Greedy"/>, of samples.</param>
    /// <param name="SampledInterval">As <paramref name="GreedyInterval"/>, of samples.</param>
    /// <param name="Any">Comparisons whose verdict is not "no difference".</param>
    internal sealed record Claims(
        string Kind, double Truth, int Greedy, int GreedyInterval, int Sampled, int SampledInterval, int Any);

    private sealed record Answers(double[] Chances, double[] Greedy, double[] Sampled);

    private sealed class Draw(RandomStream random)
    {
        // Box and Muller.
        public double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

        public Answers Student(double[] problems, double ability)
        {
            double[] logits = [.. problems.Select(problem => problem + ability + (Own * Normal()))];
            double[] chances = [.. logits.Select(Chance)];
            return new(chances, [.. logits.Select(logit => random.NextDouble() < Chance(Sureness * logit) ? 1.0 : 0)], Samples(chances));
        }

        // Greedy answers are the same every time.
        public Answers Again(Answers student) => student with { Sampled = Samples(student.Chances) };

        private double[] Samples(double[] chances) => [.. chances.Select(chance =>
            (double)Enumerable.Range(0, RepeatedRuns.Samples).Count(_ => random.NextDouble() < chance) / RepeatedRuns.Samples)];

        private static double Chance(double logit) => 1 / (1 + Math.Exp(-logit));
    }
}
