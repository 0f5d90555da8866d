using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Results;

/// <summary>
/// Runs of one recipe that differ in their seeds, one or more. What a model reaches on a problem is its mean over the runs, so that a
/// problem counts once however many runs asked it; runs that asked other problems add theirs.
/// </summary>
internal sealed class SeedRuns
{
    /// <param name="names">What the runs are called in a table, e.g. <c>seed 2</c>.</param>
    public SeedRuns(IReadOnlyList<RunReport> runs, IReadOnlyList<string> names)
    {
        Runs = runs;
        Names = names;
        Verdicts = [.. runs.Select(run => run.Verdicts ?? throw new InvalidOperationException(
            $"The report of '{run.Run}' has no verdicts by problem: an earlier version wrote it, so the recipe has to be run again."))];
        Models = new ReportModels(runs[0]);
    }

    public IReadOnlyList<RunReport> Runs { get; }

    public IReadOnlyList<ProblemVerdicts> Verdicts { get; }

    /// <summary>Names, order and sizes of the models: those of the first run.</summary>
    public ReportModels Models { get; }

    public bool ShareProblems => Verdicts.All(each => Shares(each, Verdicts[0]));

    /// <summary>Problems that were asked, each counted once.</summary>
    public int Problems => ShareProblems ? Verdicts[0].Problems : Verdicts.Sum(each => each.Problems);

    /// <summary>The student that is used in the end.</summary>
    public string? Final => Lessons.Final(Models)?.Model;

    public IReadOnlyList<string> Names { get; }

    /// <summary>What a model reaches on each problem; null where a run did not evaluate it.</summary>
    public IReadOnlyList<double>? Greedy(string model) => Pooled(each => each.Greedy(model));

    /// <summary>The same of the samples.</summary>
    public IReadOnlyList<double>? Sampled(string model) => Pooled(each => each.Sampled(model));

    /// <summary>Problems that have twins, and the share of their twins that is solved.</summary>
    public (IReadOnlyList<double> Originals, IReadOnlyList<double> Twins)? Twinned(string model) =>
        Pooled(each => each.Twinned(model)?.Originals) is { } originals && Pooled(each => each.Twinned(model)?.Twins) is { } twins
            ? (originals, twins) : null;

    public static bool Shares(ProblemVerdicts one, ProblemVerdicts other) =>
        one.Digest == other.Digest && one.TwinsDigest == other.TwinsDigest;

    private List<double>? Pooled(Func<ProblemVerdicts, IReadOnlyList<double>?> values)
    {
        var runs = Verdicts.Select(values).ToList();
        if (runs.Any(run => run is null)) return null;
        return ShareProblems ? [.. runs[0]!.Select((_, problem) => runs.Average(run => run![problem]))] : [.. runs.SelectMany(run => run!)];
    }
}

/// <summary>The resolved recipe of a report, value by value.</summary>
internal static class RecipeValues
{
    public static SortedDictionary<string, string> Of(RunReport report)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (report.Recipe is { } recipe) Add(RecipeYaml.Parse(recipe.Text, report.Run, new RecipeSource("", "/")), "", values);
        return values;
    }

    /// <summary>What a recipe has otherwise than another, seeds and names aside: <c>sft.epochs: 5 → 8</c>.</summary>
    public static IEnumerable<string> Differences(RunReport before, RunReport after)
    {
        var (old, current) = (Of(before), Of(after));
        return old.Keys.Union(current.Keys).Order(StringComparer.Ordinal)
            .Where(path => path is not ("name" or "seed") && !path.EndsWith(".seed", StringComparison.Ordinal))
            .Where(path => old.GetValueOrDefault(path) != current.GetValueOrDefault(path))
            .Select(path => $"`{path}`: {old.GetValueOrDefault(path, "none")} → {current.GetValueOrDefault(path, "none")}");
    }

    private static void Add(RecipeNode node, string path, SortedDictionary<string, string> values)
    {
        switch (node)
        {
            case RecipeMapping map:
                foreach (var (key, value) in map.Entries) Add(value, Below(path, key), values);
                break;
            case RecipeSequence list:
                foreach (var (index, item) in list.Items.Index()) Add(item, Below(path, $"{index}"), values);
                break;
            case RecipeScalar { IsNothing: false } scalar:
                values[path] = scalar.Text;
                break;
        }
    }

    private static string Below(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}
