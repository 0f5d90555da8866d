namespace Distill.Student.Monitoring;

/// <summary>Means over a few updates: a single one says little.</summary>
internal static class Windows
{
    /// <summary>Over the first updates that have the value; NaN when there are fewer.</summary>
    public static double First(IReadOnlyList<TrainingMoment> history, int window, Func<TrainingMoment, double> value) =>
        Mean([.. history.Select(value).Where(double.IsFinite).Take(window)], window);

    /// <summary>Over the last updates that have the value; NaN when there are fewer.</summary>
    public static double Last(IReadOnlyList<TrainingMoment> history, int window, Func<TrainingMoment, double> value) =>
        Mean([.. history.Select(value).Where(double.IsFinite).TakeLast(window)], window);

    private static double Mean(double[] values, int window) => values.Length < window ? double.NaN : values.Average();
}
