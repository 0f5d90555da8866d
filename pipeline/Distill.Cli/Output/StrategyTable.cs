using Distill.Evaluation.Strategies;

namespace Distill.Cli.Output;

/// <summary>Accuracy against tokens spent, for people.</summary>
internal static class StrategyTable
{
    public static void Show(StrategyFigures figures, ResultWriter results)
    {
        results.Line($"{figures.Model} ({figures.Kind}): {figures.Problems:N0} problems, {figures.Strategy}");
        results.Table(["", "tokens", "solved", "95 %", "gain", "95 %", "p"], figures.Levels.Select(Row));
        if (figures.Strategy == BestOfN.ByVerifier.Name) results.Line("chosen by the verifier, which knows the reference answer: what no way of choosing can beat");
        var speed = figures.Throughput;
        results.Line($"speed    {speed.TokensPerSecond:N0} tokens/s, {speed.Completions:N0} completions in {Readable.Duration(TimeSpan.FromSeconds(speed.Seconds))}");
    }

    private static string[] Row(StrategyLevel level) =>
        [level.Name, $"{level.MeanTokens:F1}", Readable.Share(level.Accuracy), Readable.Range(level.Interval95),
            Readable.Share(level.Gain), Readable.Range(level.GainInterval95), level.P is { } p ? $"{p:G2}" : Readable.None];
}
