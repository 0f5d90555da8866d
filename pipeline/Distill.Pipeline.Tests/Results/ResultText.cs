using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Results;

/// <summary>What the marks of texts stand for: docs/results/README.md lists them.</summary>
internal sealed class ResultText(ResultFiles files)
{
    private const string Experiments = "experiments", OnPolicy = "on-policy", Distance = "distance";

    /// <param name="name">
    /// <c>quickstart</c> (all seeds), <c>quickstart/seed-1</c> (one run), <c>experiments</c> or <c>experiments/series</c>,
    /// <c>repeated-runs</c>; <c>on-policy/series</c> and <c>distance/series</c> for experiments that learned from completions of their own.
    /// </param>
    public string Block(string name) => name switch
    {
        "repeated-runs" => RepeatedRuns.Measured.ToMarkdown(),
        Experiments => ExperimentTable.Of(files.Series("")),
        _ when name.StartsWith(Experiments + "/", StringComparison.Ordinal) =>
            ExperimentTable.Of(files.Series(name[(Experiments.Length + 1)..])),
        _ when name.StartsWith(OnPolicy + "/", StringComparison.Ordinal) =>
            OnPolicyTable.Settings(files.Series(name[(OnPolicy.Length + 1)..])),
        _ when name.StartsWith(Distance + "/", StringComparison.Ordinal) =>
            OnPolicyTable.Distances(files.Series(name[(Distance.Length + 1)..])),
        _ when files.Has(name) => ReportTable.Of(files.Run(name)).ToMarkdown(),
        _ => SeedTable.Of(files.Seeds(name)),
    };

    /// <param name="path">
    /// Run or seeds, model, measure, e.g. <c>quickstart.sft.greedy</c>; two models for their difference, <c>quickstart.rl:sft.sampled</c>;
    /// <c>.range</c> behind it for the interval. Of the whole: <c>quickstart.problems</c>, <c>.seeds</c>, <c>.seconds</c>.
    /// </param>
    public string Number(string path)
    {
        string[] parts = path.Split('.');
        var runs = files.Has(parts[0]) ? new SeedRuns([files.Run(parts[0])], [parts[0]]) : files.Seeds(parts[0]);
        return parts switch
        {
            [_, "problems"] => ReportNumbers.Count(runs.Problems),
            [_, "seeds"] => ReportNumbers.Count(runs.Runs.Count),
            [_, "seconds"] => ReportNumbers.Time(runs.Runs[0].Stages),
            [_, "parity", var what] => Parity(runs, what),
            [_, var model, var measure] => Text(runs, model, measure, isRange: false),
            [_, var model, var measure, "range"] => Text(runs, model, measure, isRange: true),
            _ => throw Unknown(path),
        };
    }

    private static string Text(SeedRuns runs, string model, string measure, bool isRange)
    {
        if (model.Split(':') is [var after, var before])
        {
            var difference = PairedBootstrap.Run(Values(runs, before, measure), Values(runs, after, measure), seed: 1, resamples: 2_000);
            return isRange ? ReportNumbers.PointsRange(difference.Interval, runs.Problems)
                : ReportNumbers.Points(difference.Mean, runs.Problems);
        }

        if (measure == "recovered" && SeedTable.Recovered(runs, model) is { } recovered)
        {
            return isRange ? ReportNumbers.Range(recovered.Interval95, runs.Problems)
                : ReportNumbers.Percent(recovered.Share, runs.Problems);
        }

        if (measure == "parameters" && runs.Models.SizeOf(model) is { } size) return ReportNumbers.Parameters(size.Parameters);
        if (measure.StartsWith("domain-", StringComparison.Ordinal)) return SeedTable.Domain(runs, model, measure["domain-".Length..]);
        var values = Values(runs, model, measure);
        return isRange ? ReportNumbers.Range(SeedTable.IntervalOf(values), values.Count)
            : ReportNumbers.Percent(values.Average(), values.Count);
    }

    private static IReadOnlyList<double> Values(SeedRuns runs, string model, string measure) => measure switch
    {
        "greedy" => runs.Greedy(model),
        "sampled" => runs.Sampled(model),
        "original" => runs.Twinned(model)?.Originals,
        "twins" => runs.Twinned(model)?.Twins,
        _ => null,
    } ?? throw Unknown($"{model}.{measure}");

    // The worst of the runs.
    private static string Parity(SeedRuns runs, string what)
    {
        var parities = runs.Runs.Select(run => run.Parity ?? throw Unknown($"parity.{what}")).ToList();
        return what switch
        {
            "difference" => ReportNumbers.Short(parities.Max(parity => parity.MaxAbsLogitDiff)),
            "logit" => ReportNumbers.Short(parities.Max(parity => parity.MaxAbsLogit)),
            "tokens" => ReportNumbers.Count(parities.Sum(parity => (long)parity.GreedyTokensCompared)),
            "mismatches" => ReportNumbers.Count(parities.Sum(parity => (long)parity.GreedyMismatches)),
            _ => throw Unknown($"parity.{what}"),
        };
    }

    private static InvalidOperationException Unknown(string path) => new($"No committed result has '{path}'.");
}
