namespace Distill.Export.Parity;

/// <summary>A line of what the gate compared, for people: the console, the model card and the run's page all show these.</summary>
/// <param name="Name">What was compared.</param>
/// <param name="Measured">With what it was measured on.</param>
/// <param name="Allowed">Empty where there is no limit.</param>
/// <param name="Passed">Null where there is none.</param>
internal sealed record ParityRow(string Name, string Measured, string Allowed, bool? Passed);

/// <summary>The lines of a report, in the order in which the gate goes.</summary>
internal static class ParityRows
{
    public static IReadOnlyList<ParityRow> Of(ParityReport report) =>
        [.. Numbers(report), .. Quality(report), .. Second(report), .. Accuracy(report), .. Runtimes(report), .. Texts(report)];

    private static IEnumerable<ParityRow> Numbers(ParityReport report)
    {
        var tolerance = report.Tolerance;
        double logits = tolerance.RelativeLogits * report.MaxAbsLogit, paths = tolerance.RelativePaths * report.MaxAbsLogit;
        yield return new(
            "largest logit difference",
            $"{ParityFigure.Of(report.MaxAbsLogitDiff)} (largest logit {ParityFigure.Of(report.MaxAbsLogit)}, "
                + $"{ParityFigure.Count(report.PositionsCompared)} positions)",
            ParityFigure.Of(logits), report.PositionsCompared > 0 && report.MaxAbsLogitDiff <= logits);
        string ties = report.GreedyTies > 0 ? $" (and {ParityFigure.Count(report.GreedyTies)} ties)" : "";
        yield return new(
            "greedy tokens that differ",
            $"{ParityFigure.Count(report.GreedyMismatches)} of {ParityFigure.Count(report.GreedyTokensCompared)}{ties}",
            tolerance.MismatchShare == 0 ? "0" : ParityFigure.Percent(tolerance.MismatchShare),
            report.GreedyMismatches <= tolerance.MismatchShare * report.GreedyTokensCompared);
        if (report.MaxCacheDiff is { } cache)
            yield return new("through the cache against whole", ParityFigure.Of(cache), ParityFigure.Of(paths), cache <= paths);
        if (report.MaxBatchDiff is { } batch)
            yield return new("beside others against alone", ParityFigure.Of(batch), ParityFigure.Of(paths), batch <= paths);
    }

    private static IEnumerable<ParityRow> Quality(ParityReport report) =>
        report.Quality is { } quality ? Quality(quality, report.QualityLimits ?? QualityLimits.Int4) : [];

    // A graph of its own beside the one that the other lines are about.
    private static IEnumerable<ParityRow> Second(ParityReport report) => report.DynamicInt8 is not { } quality ? []
        : Quality(quality, QualityLimits.Int8).Select(row => row with { Name = $"{ExportPrecisions.DynamicInt8File}: {row.Name}" });

    private static IEnumerable<ParityRow> Quality(QualityReport quality, QualityLimits limits)
    {
        var range = quality.PerplexityRatioInterval95;
        yield return new(
            "perplexity against the model's",
            $"{ParityFigure.Of(quality.PerplexityRatio)} times (95 % {ParityFigure.Of(range.Low)} to {ParityFigure.Of(range.High)}; "
                + $"{ParityFigure.Count(quality.Tokens)} tokens of {ParityFigure.Count(quality.Texts)} texts)",
            $"{ParityFigure.Of(limits.Perplexity)} times", quality.PerplexityRatio <= limits.Perplexity);
        yield return new("divergence per token, mean", $"{ParityFigure.Of(quality.MeanDivergence)} nats",
            ParityFigure.Of(limits.Divergence), quality.MeanDivergence <= limits.Divergence);
        yield return new("divergence per token, 99th percentile", $"{ParityFigure.Of(quality.Divergence99)} nats",
            ParityFigure.Of(limits.Divergence99), quality.Divergence99 <= limits.Divergence99);
        yield return new("same most probable token", ParityFigure.Percent(quality.TopAgreement),
            $"at least {ParityFigure.Percent(limits.Agreement)}", quality.TopAgreement >= limits.Agreement);
    }

    private static IEnumerable<ParityRow> Accuracy(ParityReport report)
    {
        if (report.Accuracy is not { } accuracy) yield break;
        double allowed = (report.QualityLimits ?? QualityLimits.Int4).AccuracyLoss;
        var range = accuracy.DifferenceInterval95;
        if (!accuracy.IsTested)
        {
            yield return new(
                "problems solved",
                $"not tested: too few solved ({ParityFigure.Percent(accuracy.Exported)}, the model {ParityFigure.Percent(accuracy.Model)} "
                    + $"of {ParityFigure.Count(accuracy.Problems)})", "", null);
            yield break;
        }

        yield return new(
            "problems solved",
            $"{ParityFigure.Percent(accuracy.Exported)}, the model {ParityFigure.Percent(accuracy.Model)} "
                + $"({ParityFigure.Count(accuracy.Problems)} problems; difference {ParityFigure.Points(accuracy.Difference)} points, "
                + $"95 % {ParityFigure.Points(range.Low)} to {ParityFigure.Points(range.High)})",
            $"a shown loss of {ParityFigure.Percent(allowed)}", range.High >= -allowed);
    }

    private static IEnumerable<ParityRow> Runtimes(ParityReport report) => (report.Runtimes ?? []).Select(runtime =>
        runtime.NotRun is { } reason ? new ParityRow($"tokens of {runtime.Name}", $"not compared: {reason}", "", null) : new ParityRow(
        $"tokens of {runtime.Name}",
        runtime.Fault ?? $"others for {ParityFigure.Count(runtime.Mismatches)} of {ParityFigure.Count(runtime.Prompts)} prompts "
            + $"({ParityFigure.Count(runtime.Tokens)} tokens" + (runtime.Ties > 0 ? $"; {ParityFigure.Count(runtime.Ties)} ties)" : ")"),
        "0", runtime.Passed));

    private static IEnumerable<ParityRow> Texts(ParityReport report)
    {
        if (report.Texts is not { } texts) yield break;
        yield return new("texts and chats with other ids than in training",
            $"{ParityFigure.Count(texts.Differences.Count)} of {ParityFigure.Count(texts.Texts)} texts and "
                + $"{ParityFigure.Count(texts.Chats)} chats",
            "0", texts.Differences.Count == 0);
        foreach (var runtime in texts.Runtimes ?? [])
        {
            if (runtime.NotRun is { } reason)
            {
                yield return new($"problems with other ids in {runtime.Name}", $"not compared: {reason}", "", null);
                continue;
            }

            string known = runtime.Known.Count > 0 ? $" (known: {string.Join("; ", runtime.Known)})" : "";
            string unknown = runtime.Unknown.Count > 0 ? $"; not known: {string.Join("; ", runtime.Unknown.Take(2))}" : "";
            yield return new(
                $"problems with other ids in {runtime.Name}",
                $"{ParityFigure.Count(runtime.ProblemTexts)}, and of {ParityFigure.Count(runtime.Texts)} strange texts "
                    + $"{ParityFigure.Count(runtime.Unknown.Count)}{known}{unknown}",
                "0 problems", runtime.ProblemTexts == 0);
        }
    }
}
