using System.Text.RegularExpressions;
using Distill.Pipeline.Reporting;

namespace Distill.Pipeline.Tests.Results;

/// <summary>Reports of runs that are committed under <c>docs/results</c>; docs/results/README.md says how they get there.</summary>
/// <param name="folder">Where they lie, absolute.</param>
internal sealed partial class ResultFiles(string folder)
{
    private const string Suffix = ".report.json", Experiments = "experiments";

    public static ResultFiles Committed { get; } = new(Path.Combine(RepositoryFolder.Root, "docs", "results"));

    /// <param name="name">E.g. <c>quickstart/seed-1</c> or <c>experiments/longer</c>.</param>
    public string PathOf(string name) =>
        Path.Combine(folder, name + (name.StartsWith(Experiments + "/", StringComparison.Ordinal) ? ".json" : Suffix));

    public bool Has(string name) => File.Exists(PathOf(name));

    public RunReport Run(string name) => Read(PathOf(name));

    /// <summary>The runs of one recipe with several seeds, e.g. <c>quickstart/seed-1</c>, <c>-2</c> and so on, by rising seed.</summary>
    public SeedRuns Seeds(string name)
    {
        string[] files = Directory.Exists(Path.Combine(folder, name))
            ? [.. Directory.GetFiles(Path.Combine(folder, name), $"seed-*{Suffix}").Order(StringComparer.Ordinal)] : [];
        if (files.Length == 0)
            throw new InvalidOperationException($"There is no {name}/seed-*{Suffix} in {folder}: tools/results add puts it there.");
        return new SeedRuns(
            [.. files.Select(Read)],
            [.. files.Select(file => Path.GetFileName(file)[..^Suffix.Length].Replace('-', ' '))]);
    }

    /// <summary>
    /// Experiments that are measured against the one called <c>base</c> beside them, by name; <c>NAME.seed-2</c> is another run of NAME.
    /// </summary>
    /// <param name="name">A folder of <c>experiments</c>; empty for those that lie in none.</param>
    public IReadOnlyList<(string Name, SeedRuns Runs)> Series(string name) =>
    [
        .. Directory.GetFiles(Path.Combine(folder, Experiments, name), "*.json").Order(StringComparer.Ordinal)
            .GroupBy(file => Experiment().Match(Path.GetFileName(file)).Groups["name"].Value)
            .Select(group => (group.Key, new SeedRuns([.. group.Select(Read)], [.. group.Select(file => Path.GetFileName(file)!)]))),
    ];

    private static RunReport Read(string file) => ReportJson.Read(File.ReadAllText(file));

    [GeneratedRegex(@"^(?<name>.+?)(?:\.seed-\d+)?\.json$")]
    private static partial Regex Experiment();
}
