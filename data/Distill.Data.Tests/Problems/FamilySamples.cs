using System.Collections.Concurrent;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems;

/// <summary>Problems that many tests look at, drawn once.</summary>
internal static class FamilySamples
{
    public const ulong Seed = 11;

    /// <summary>How many problems per split.</summary>
    public const int Count = 24;

    private static readonly ConcurrentDictionary<(string, int), Lazy<IReadOnlyList<(Problem, IReadOnlyList<Twin>)>>> Drawn = new();

    public static TheoryData<string> Families => [.. ProblemFamilies.All.Select(family => family.Name)];

    public static TheoryData<string, int> Levels
    {
        get
        {
            var levels = new TheoryData<string, int>();
            foreach (var family in ProblemFamilies.All)
            {
                for (var level = 1; level <= family.MaxLevel; level++)
                    levels.Add(family.Name, level);
            }

            return levels;
        }
    }

    /// <summary>From all splits, each with its twins.</summary>
    public static IReadOnlyList<(Problem Problem, IReadOnlyList<Twin> Twins)> Of(string family, int level) =>
        Drawn.GetOrAdd((family, level), static key => new(() => Draw(ProblemFamilies.Get(key.Item1), key.Item2))).Value;

    public static IEnumerable<Problem> WithTwins(string family, int level) =>
        Of(family, level).SelectMany(sample => sample.Twins.Select(twin => twin.Problem).Prepend(sample.Problem));

    /// <summary>The twins of one kind beside their originals.</summary>
    public static IReadOnlyList<(Problem Original, Problem Twin)> Twins(string family, int level, TwinKind kind) =>
    [
        .. from sample in Of(family, level)
           from twin in sample.Twins
           where twin.Kind == kind
           select (sample.Problem, twin.Problem),
    ];

    private static List<(Problem, IReadOnlyList<Twin>)> Draw(IProblemFamily family, int level) =>
    [
        .. from split in Enum.GetValues<Split>()
           from index in Enumerable.Range(0, Count)
           let problem = family.Generate(Seed, index, split, level)
           select (problem, family.Twins(problem)),
    ];
}
