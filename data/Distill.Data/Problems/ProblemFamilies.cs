using Distill.Data.Problems.Families;
using Distill.Data.Problems.Families.Calendar;
using Distill.Data.Problems.Families.Consistency;
using Distill.Data.Problems.Families.Sequences;
using Distill.Data.Problems.Families.Syllogisms;
using Distill.Data.Problems.Families.Units;
using Distill.Data.Problems.Families.Zebra;
using Distill.Storage;
using Distill.Verification;

namespace Distill.Data.Problems;

/// <summary>
/// A procedural source of problems: the same (seed, index, split, level) always gives the same problem, on every machine.
/// Implementations are stateless and safe for concurrent use.
/// </summary>
public interface IProblemFamily
{
    /// <summary>Registry key and recipe word, e.g. <c>countdown</c>.</summary>
    string Name { get; }

    string Domain { get; }

    /// <summary>Levels run from 1 to this.</summary>
    int MaxLevel { get; }

    IVerifier Verifier { get; }

    /// <summary>Draws until the signature falls into <paramref name="split"/>, so the splits never overlap.</summary>
    Problem Generate(ulong seed, long index, Split split, int level);

    /// <summary>The twins that make sense for this problem, in the same split; deterministic.</summary>
    IReadOnlyList<Twin> Twins(Problem problem);

    /// <summary>
    /// One single-step fact in the family's trace language (e.g. <c>7 + 5 = 12</c>): what a base model may know without reasoning.
    /// </summary>
    string Fact(ulong seed, long index);

    /// <summary>
    /// So many different problems for training, and a tenth as many for validation and for test, are found with every seed, repeats being
    /// few till then. A family may have more; 0 when that is not known.
    /// </summary>
    int AmpleProblems(int level) => 0;
}

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
        new ZebraFamily(),
        new SyllogismsFamily(),
        new UnitsFamily(),
        new CalendarFamily(),
        new SequencesFamily(),
        new ConsistencyFamily(),
    ];

    /// <exception cref="ArgumentException">No family has this name; the message lists those that exist.</exception>
    public static IProblemFamily Get(string name) => TryGet(name)
        ?? throw new ArgumentException(
            $"Unknown problem family {Printable.Quote(name)}. Known: {string.Join(", ", All.Select(family => family.Name))}.",
            nameof(name));

    public static IProblemFamily? TryGet(string name) => All.FirstOrDefault(family => family.Name == name);
}
