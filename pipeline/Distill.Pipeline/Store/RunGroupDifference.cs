using Distill.Evaluation.Statistics;
using Distill.Pipeline.Reporting;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Store;

/// <summary>One model in the runs of two recipes.</summary>
/// <param name="Measure"><c>greedy</c> or <c>sampled</c>.</param>
/// <param name="Before">Share of problems solved, run by run.</param>
/// <param name="After">The same of the second recipe.</param>
/// <param name="Found">Over problems and over seeds: the wider interval, the larger p.</param>
internal sealed record GroupDifference(
    string Model, string Measure, IReadOnlyList<double> Before, IReadOnlyList<double> After, MeasuredDifference Found);

/// <summary>
/// Two recipes, each run with several seeds, compared over seeds and over problems. What two runs show is a difference of two students;
/// another seed trains another one.
/// </summary>
/// <param name="Before">Names of the runs of the first recipe.</param>
/// <param name="After">The same of the second.</param>
/// <param name="Problems">That every run asked.</param>
/// <param name="Results">Every model that all runs evaluated.</param>
internal sealed record RunGroupDifference(
    IReadOnlyList<string> Before, IReadOnlyList<string> After, int Problems, IReadOnlyList<GroupDifference> Results)
{
    /// <exception cref="RunRefusedException">
    /// One of them is no run, has no verdicts by problem, or was asked other test problems; or there are fewer than three a side.
    /// </exception>
    public static RunGroupDifference Of(
        IReadOnlyList<(string RunsFolder, string Name)> before, IReadOnlyList<(string RunsFolder, string Name)> after)
    {
        if (Math.Min(before.Count, after.Count) < SeedComparison.FewestRuns)
            throw new RunRefusedException($"Recipes are compared from {SeedComparison.FewestRuns} runs of each on, not {before.Count} and "
                + $"{after.Count}: run them with more seeds, or compare one run with one.");
        var runs = before.Concat(after).Select(run => (run.Name, Verdicts: Read(run))).ToList();
        var first = runs[0];
        foreach (var (name, verdicts) in runs.Where(run => run.Verdicts.Digest != first.Verdicts.Digest))
            throw new RunRefusedException($"'{name}' was asked other test problems ({verdicts.Problems}) than '{first.Name}' "
                + $"({first.Verdicts.Problems}): give both recipes the same problems and problems.seed.");
        ProblemVerdicts[] old = [.. runs.Take(before.Count).Select(run => run.Verdicts)];
        ProblemVerdicts[] current = [.. runs.Skip(before.Count).Select(run => run.Verdicts)];
        var resamples = MeasuredDifference.ResamplesOf(first.Verdicts.Problems);
        var results = first.Verdicts.Models.Select(model => model.Model).SelectMany(model => new[]
        {
            Compare(model, "greedy", verdicts => verdicts.Greedy(model)), Compare(model, "sampled", verdicts => verdicts.Sampled(model)),
        });
        return new([.. before.Select(run => run.Name)], [.. after.Select(run => run.Name)], first.Verdicts.Problems,
            [.. results.OfType<GroupDifference>()]);

        GroupDifference? Compare(string model, string measure, Func<ProblemVerdicts, IReadOnlyList<double>?> values)
        {
            var left = old.Select(values).OfType<IReadOnlyList<double>>().ToList();
            var right = current.Select(values).OfType<IReadOnlyList<double>>().ToList();
            return left.Count < old.Length || right.Count < current.Length ? null : new(
                model, measure, [.. left.Select(run => run.Average())], [.. right.Select(run => run.Average())],
                MeasuredDifference.Of(left, right, resamples));
        }
    }

    private static ProblemVerdicts Read((string RunsFolder, string Name) run)
    {
        var folder = RunCatalogue.Require(run.RunsFolder, run.Name);
        if (!File.Exists(folder.ReportJsonPath))
            throw new RunRefusedException($"'{run.Name}' has no report yet: distill resume {run.Name} finishes it.");
        return ReportJson.Read(File.ReadAllText(folder.ReportJsonPath)).Verdicts ?? throw new RunRefusedException(
            $"The report of '{run.Name}' has no verdicts by problem: an earlier version wrote it. "
            + $"distill resume {run.Name} writes it anew.");
    }
}
