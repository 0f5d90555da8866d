namespace Distill.Evaluation.Statistics;

/// <summary>
/// Two recipes, each run with several seeds: b − a of what the runs reach, with an interval over seeds. A paired test over problems
/// speaks of two students; another seed of the same recipe trains another student, and only several runs tell how far those lie apart.
/// </summary>
/// <param name="Difference">Mean of b − mean of a.</param>
/// <param name="P">Two-sided.</param>
/// <param name="DegreesOfFreedom">Runs of both less two.</param>
/// <remarks>
/// Student's t with the spread of both groups pooled (Student 1908): with three runs a side a spread of each group's own, as in Welch's
/// test, is too uncertain to be of use, and of permutations there are too few.
/// </remarks>
internal sealed record SeedComparison(double Difference, Interval Interval95, double P, int DegreesOfFreedom)
{
    /// <summary>Runs of each recipe below which nothing is said about other seeds.</summary>
    public const int FewestRuns = 3;

    /// <param name="a">One figure a run; at least <see cref="FewestRuns"/>.</param>
    /// <param name="b">The same of the second recipe.</param>
    public static SeedComparison Of(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        if (a.Count < FewestRuns || b.Count < FewestRuns)
            throw new ArgumentException($"Seeds are compared from {FewestRuns} runs of each recipe on, not {a.Count} and {b.Count}.");
        int freedom = a.Count + b.Count - 2;
        double difference = b.Average() - a.Average();
        double error = Math.Sqrt((Squares(a) + Squares(b)) / freedom * ((1.0 / a.Count) + (1.0 / b.Count)));
        double half = StudentT.Quantile975(freedom) * error;
        double p = error > 0 ? StudentT.TwoSidedP(difference / error, freedom) : difference == 0 ? 1 : 0;
        return new(difference, new Interval(difference - half, difference + half), p, freedom);
    }

    private static double Squares(IReadOnlyList<double> values)
    {
        double mean = values.Average();
        return values.Sum(value => (value - mean) * (value - mean));
    }
}

/// <summary>Student's distribution for whole degrees of freedom, as finite sums (Abramowitz and Stegun 26.7.3 and 26.7.4).</summary>
internal static class StudentT
{
    private const double Precision = 1e-10;

    /// <summary>Chance of a value at least as far from 0, on either side.</summary>
    public static double TwoSidedP(double t, int freedom)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(freedom, 1);
        double angle = Math.Atan(Math.Abs(t) / Math.Sqrt(freedom)), cosine = Math.Cos(angle), sine = Math.Sin(angle);
        bool isOdd = freedom % 2 == 1;
        double term = isOdd ? cosine : 1, sum = 0;
        for (int power = isOdd ? 1 : 0; power <= freedom - 2; power += 2)
        {
            sum += term;
            term *= cosine * cosine * (power + 1) / (power + 2);
        }

        double inside = isOdd ? 2 / Math.PI * (angle + (sine * sum)) : sine * sum;
        return Math.Clamp(1 - inside, 0, 1);
    }

    /// <summary>The 97.5 % quantile: two-sided 95 %.</summary>
    public static double Quantile975(int freedom)
    {
        double low = 0, high = 1;
        while (TwoSidedP(high, freedom) > 0.05) high *= 2;
        while (high - low > Precision)
        {
            double middle = (low + high) / 2;
            if (TwoSidedP(middle, freedom) > 0.05) low = middle;
            else high = middle;
        }

        return (low + high) / 2;
    }
}
