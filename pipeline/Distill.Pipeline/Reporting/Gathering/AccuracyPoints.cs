using Distill.Evaluation;
using Distill.Evaluation.Statistics;
using Distill.Evaluation.Strategies;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Reporting.Gathering;

/// <summary>
/// What each way of asking a model is worth and takes: from the evaluation of every model, and from strategies where any were run.
/// </summary>
internal static class AccuracyPoints
{
    /// <param name="sheet">The answers behind the report.</param>
    public static IEnumerable<AccuracyPoint> Of(EvaluationReport report, IReadOnlyList<SheetAnswer> sheet)
    {
        double greedy = sheet.Where(answer => answer.IsOriginal).Average(answer => (double)answer.TokenCount);
        yield return new(report.Model, "greedy", report.Greedy, report.GreedyInterval95, report.Problems, greedy);
        if (report is not { Samples: > 0 and var samples, PassAt1: { } share, Interval95: { } range }) yield break;
        // The mean of the report is over the greedy answer and the samples together.
        double sampled = ((report.MeanTokens * (1 + samples)) - greedy) / samples;
        yield return new(report.Model, "one sample", share, range, report.Problems, sampled);
        if (report.MajAtK is { } votes)
            yield return new(
                report.Model, $"vote of {samples}", votes, Proportion.Wilson(votes * report.Problems, report.Problems), report.Problems,
                sampled * samples);
    }

    public static IEnumerable<AccuracyPoint> Of(StrategyReport report) => report.Levels.Skip(1).Select(level => new AccuracyPoint(
        report.Model, $"{report.Strategy}, {level.Name}", level.Accuracy, level.Interval95, report.Problems, level.MeanTokens));
}
