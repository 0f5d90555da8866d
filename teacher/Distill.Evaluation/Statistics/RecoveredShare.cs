using Distill.Generation;

namespace Distill.Evaluation.Statistics;

/// <summary>
/// How much of the way from a base to a teacher a student has gone, (student − base) / (teacher − base), with a percentile interval over
/// resampled problems, the three models on the same problems (Efron 1979).
/// </summary>
internal sealed record RecoveredShare(double Share, Interval Interval95)
{
    /// <param name="start">What the base reaches on each problem, 0 to 1.</param>
    /// <param name="teacher">The same of the teacher.</param>
    /// <param name="student">The same of the student.</param>
    /// <returns>Null where a resample has the teacher no better than the base: then there is no way to go.</returns>
    public static RecoveredShare? Of(
        IReadOnlyList<double> start, IReadOnlyList<double> teacher, IReadOnlyList<double> student, ulong seed, int resamples = 2_000)
    {
        int problems = start.Count;
        if (problems == 0 || teacher.Count != problems || student.Count != problems)
            throw new ArgumentException($"The models need the same problems, not {problems}, {teacher.Count} and {student.Count}.");
        double distance = teacher.Average() - start.Average();
        if (distance <= 0) return null;
        var random = new RandomStream(seed);
        double[] shares = new double[resamples];
        for (int r = 0; r < resamples; r++)
        {
            double gone = 0, whole = 0;
            for (int i = 0; i < problems; i++)
            {
                int problem = (int)(random.NextDouble() * problems);
                gone += student[problem] - start[problem];
                whole += teacher[problem] - start[problem];
            }

            if (whole <= 0) return null;
            shares[r] = gone / whole;
        }

        Array.Sort(shares);
        return new(
            (student.Average() - start.Average()) / distance,
            new Interval(PairedBootstrap.Quantile(shares, 0.025), PairedBootstrap.Quantile(shares, 0.975)));
    }
}
