using Distill.Data.Problems.Arithmetic;
using Distill.Data.Problems.Contradiction;
using Distill.Data.Problems.Countdown;
using Distill.Data.Problems.Knights;
using Distill.Data.Problems.Words;

namespace Distill.Data.Problems;

/// <summary>All problem families. A new one is a class and one line here.</summary>
public static class ProblemFamilies
{
    public static IReadOnlyList<IProblemFamily> All { get; } =
    [
        new ArithmeticFamily(),
        new WordsFamily(),
        new CountdownFamily(),
        new KnightsFamily(),
        new ContradictionFamily(),
    ];

    /// <exception cref="ArgumentException">No family has this name; the message lists those that exist.</exception>
    public static IProblemFamily Get(string name) => TryGet(name)
        ?? throw new ArgumentException($"Unknown problem family '{name}'. Known: {string.Join(", ", All.Select(f => f.Name))}.", nameof(name));

    public static IProblemFamily? TryGet(string name) => All.FirstOrDefault(family => family.Name == name);
}
