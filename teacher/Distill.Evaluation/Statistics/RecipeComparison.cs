using Distill.Generation;

namespace Distill.Evaluation.Statistics;

/// <summary>A difference of shares of problems solved, after − before.</summary>
/// <param name="Interval95">Over problems; over seeds too where both sides have three runs: the wider of the two.</param>
/// <param name="P">Of the test that sees less.</param>
internal sealed record MeasuredDifference(double Difference, Interval Interval95, double P)
{
    private const ulong BootstrapSeed = 1;
    private const int Resamples = 2_000;

    /// <param name="before">[run][problem], the same problems in every run.</param>
    /// <param name="after">The same of the other recipe.</param>
    /// <param name="resamples">[resample][problem].</param>
    public static MeasuredDifference Of(
        IReadOnlyList<IReadOnlyList<double>> before, IReadOnlyList<IReadOnlyList<double>> after, IReadOnlyList<int[]> resamples)
    {
        double[] old = Means(before), current = Means(after);
        var paired = PairedBootstrap.Run(old, current, resamples);
        // Right or wrong on both sides: the exact test, as in the comparison of two runs.
        bool isBinary = old.Concat(current).All(share => share is 0 or 1);
        double p = isBinary ? McNemar.ExactP(old.Zip(current).Count(pair => pair is (1, 0)), old.Zip(current).Count(pair => pair is (0, 1)))
            : paired.P;
        if (Math.Min(before.Count, after.Count) < SeedComparison.FewestRuns) return new(paired.Mean, paired.Interval, p);
        var seeds = SeedComparison.Of([.. before.Select(run => run.Average())], [.. after.Select(run => run.Average())]);
        bool isWider = seeds.Interval95.High - seeds.Interval95.Low > paired.Interval.High - paired.Interval.Low;
        return new(paired.Mean, isWider ? seeds.Interval95 : paired.Interval, Math.Max(p, seeds.P));
    }

    /// <summary>[resample][problem], the same for every comparison of as many problems.</summary>
    public static IReadOnlyList<int[]> ResamplesOf(int problems)
    {
        var random = new RandomStream(BootstrapSeed);
        int[][] drawn = new int[Resamples][];
        for (int r = 0; r < Resamples; r++)
        {
            drawn[r] = new int[problems];
            for (int i = 0; i < problems; i++) drawn[r][i] = (int)(random.NextDouble() * problems);
        }

        return drawn;
    }

    private static double[] Means(IReadOnlyList<IReadOnlyList<double>> runs) =>
        [.. runs[0].Select((_, problem) => runs.Average(run => run[problem]))];
}

/// <summary>Whether one recipe is better than another, by what its student says greedily and what it samples.</summary>
/// <param name="Sampled">Null where no samples were drawn.</param>
internal sealed record RecipeComparison(MeasuredDifference Greedy, MeasuredDifference? Sampled)
{
    private const double Level = 0.05;

    /// <summary>
    /// One word at 5 % for both measures together (Holm 1979): the clearer of them has to pass 2.5 %, then the other 5 %.
    /// </summary>
    public string Verdict
    {
        get
        {
            MeasuredDifference[] measures = [.. new[] { Greedy, Sampled }.OfType<MeasuredDifference>().OrderBy(each => each.P)];
            var claimed = measures.TakeWhile((each, i) => each.P < Level / (measures.Length - i)).ToList();
            return (claimed.Any(each => each.Difference > 0), claimed.Any(each => each.Difference < 0)) switch
            {
                (true, true) => "mixed",
                (true, _) => "better",
                (_, true) => "worse",
                _ => "no difference",
            };
        }
    }

    public bool IsClaimed => Verdict != "no difference";
}
