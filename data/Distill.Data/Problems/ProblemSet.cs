using System.Runtime.ExceptionServices;

namespace Distill.Data.Problems;

/// <summary>A family at one level and its share in a set of problems.</summary>
/// <param name="Weight">Above 0; shares are proportional to it.</param>
public sealed record ProblemSetPart(string Family, int Level, double Weight = 1);

/// <summary>
/// Sets of problems mixed from families: exact shares, no signature twice, in an order that mixes the families. Everything follows from the
/// arguments. A larger set of the same seed begins with other problems, because the order is drawn for the whole set.
/// </summary>
public static class ProblemSet
{
    /// <summary>So many repeats in a row, and a part is taken to have no more different problems.</summary>
    private const int MaxRepeats = 2_000;

    /// <param name="parts">At least one; no (family, level) twice.</param>
    /// <param name="count">How many problems; rounding goes to the parts with the largest remainders.</param>
    /// <exception cref="ArgumentException">
    /// A part names no family or level, or has no weight, or a part has fewer different problems than its share.
    /// </exception>
    public static IReadOnlyList<Problem> Generate(IReadOnlyList<ProblemSetPart> parts, ulong seed, Split split, int count) =>
        Draw(parts, seed, split, count, orFewer: false);

    /// <summary>As many of them as there are: a part that has fewer different problems than its share gives all that it has.</summary>
    internal static IReadOnlyList<Problem> GenerateAtMost(IReadOnlyList<ProblemSetPart> parts, ulong seed, Split split, int count) =>
        Draw(parts, seed, split, count, orFewer: true);

    /// <summary>
    /// Problems as the families give them, some of them more than once. A set without repeats has, the larger it is, the more of what there
    /// is most of, such as numbers of which no sum is possible: these have the shares that small sets have.
    /// </summary>
    internal static IReadOnlyList<Problem> AsTheyCome(IReadOnlyList<ProblemSetPart> parts, ulong seed, Split split, int count) =>
    [
        .. from part in parts.Zip(Shares(parts, count))
        let family = ProblemFamilies.Get(part.First.Family)
        from index in Enumerable.Range(0, part.Second)
        select family.Generate(seed, index, split, part.First.Level),
    ];

    private static List<Problem> Draw(IReadOnlyList<ProblemSetPart> parts, ulong seed, Split split, int count, bool orFewer)
    {
        var shares = Shares(parts, count);
        var drawn = DrawFamilies(parts, seed, split, shares);
        for (var i = 0; i < parts.Count; i++)
        {
            if (drawn[i].Count < shares[i] && !orFewer)
                throw new ArgumentException(Shortage(parts[i], split, drawn[i].Count, shares[i]), nameof(count));
        }

        List<Problem> problems = [.. drawn.SelectMany(part => part)];
        new RandomSource("problem set", SplitRule.Word(split), seed, count).Shuffle(problems);
        return problems;
    }

    // Side by side: different families never ask the same, two levels of one can.
    private static List<Problem>[] DrawFamilies(IReadOnlyList<ProblemSetPart> parts, ulong seed, Split split, int[] shares)
    {
        var drawn = new List<Problem>[parts.Count];
        try
        {
            Parallel.ForEach(Enumerable.Range(0, parts.Count).GroupBy(i => parts[i].Family), levels =>
            {
                var signatures = new HashSet<string>();
                foreach (int i in levels) drawn[i] = Distinct(parts[i], seed, split, shares[i], signatures);
            });
        }
        catch (AggregateException faults)
        {
            // As if they had been drawn one after the other.
            ExceptionDispatchInfo.Throw(faults.InnerExceptions[0]);
        }

        return drawn;
    }

    /// <summary>
    /// Which parts have fewer different problems than <see cref="Generate"/> needs with these arguments, before it is called. What a family
    /// surely has is not drawn; a larger share is, as <see cref="Generate"/> draws it, so that the answer is exact and costs at most what
    /// these shares cost.
    /// </summary>
    /// <returns>One sentence for each part that falls short, with what to do; none when the set can be made.</returns>
    /// <exception cref="ArgumentException">A part names no family or level, or has no weight.</exception>
    public static IReadOnlyList<string> FindShortages(IReadOnlyList<ProblemSetPart> parts, ulong seed, Split split, int count)
    {
        var shares = Shares(parts, count);
        // Different families never ask the same.
        return [.. parts.Zip(shares).GroupBy(part => part.First.Family).SelectMany(family => Shortages([.. family], seed, split))];
    }

    private static IEnumerable<string> Shortages(IReadOnlyList<(ProblemSetPart Part, int Share)> family, ulong seed, Split split)
    {
        // As if all that another level has were asked here too.
        var wanted = family.Sum(part => part.Share);
        if (family.All(part => wanted <= Ample(part.Part, split)))
            yield break;
        var signatures = new HashSet<string>();
        foreach (var (part, share) in family)
        {
            var found = Distinct(part, seed, split, share, signatures).Count;
            if (found < share)
                yield return Shortage(part, split, found, share);
        }
    }

    // A tenth of the signatures is for validation and a tenth for test, an eighth of those for training; the rest is distance.
    private static int Ample(ProblemSetPart part, Split split) =>
        ProblemFamilies.Get(part.Family).AmpleProblems(part.Level) / (split == Split.Train ? 1 : 10);

    internal static string Shortage(ProblemSetPart part, Split split, int found, int wanted)
    {
        var remedy = part.Level < ProblemFamilies.Get(part.Family).MaxLevel
            ? "ask for fewer, lower its weight, or take a higher level."
            : "ask for fewer, or lower its weight.";
        return $"{part.Family} level {part.Level} has only about {found} different {SplitRule.Word(split)} problems, "
            + $"{wanted} were asked for: {remedy}";
    }

    private static void Check(IReadOnlyList<ProblemSetPart> parts)
    {
        if (parts.Count == 0)
            throw new ArgumentException("A set of problems needs at least one family.", nameof(parts));
        foreach (var part in parts)
        {
            var family = ProblemFamilies.Get(part.Family);
            if (part.Level < 1 || part.Level > family.MaxLevel)
                throw new ArgumentException($"{part.Family} has levels 1 to {family.MaxLevel}, not {part.Level}.", nameof(parts));
            if (!double.IsFinite(part.Weight) || part.Weight <= 0)
            {
                throw new ArgumentException(
                    $"{part.Family} level {part.Level} has weight {part.Weight}; it must be above 0.", nameof(parts));
            }
        }

        if (!double.IsFinite(parts.Sum(part => part.Weight)))
            throw new ArgumentException("The weights are too large to be added up.", nameof(parts));
        if (parts.GroupBy(part => (part.Family, part.Level)).FirstOrDefault(group => group.Count() > 1) is { Key: var twice })
            throw new ArgumentException($"{twice.Family} level {twice.Level} is named twice.", nameof(parts));
    }

    /// <summary>Largest remainders: whole shares that add up to <paramref name="count"/>; ties go to the earlier part.</summary>
    /// <exception cref="ArgumentException">The parts make no sense.</exception>
    private static int[] Shares(IReadOnlyList<ProblemSetPart> parts, int count)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Check(parts);
        return Shares([.. parts.Select(part => part.Weight)], count);
    }

    /// <inheritdoc cref="Shares(IReadOnlyList{ProblemSetPart}, int)"/>
    internal static int[] Shares(IReadOnlyList<double> weights, int count)
    {
        var total = weights.Sum();
        var exact = weights.Select(weight => count * (weight / total)).ToArray();
        var shares = exact.Select(share => (int)share).ToArray();
        var byRemainder = Enumerable.Range(0, weights.Count).OrderByDescending(i => exact[i] - shares[i]).ThenBy(i => i).ToArray();
        var rest = count - shares.Sum();
        for (var i = 0; i < rest; i++)
            shares[byRemainder[i]]++;
        return shares;
    }

    /// <param name="signatures">What was drawn before and must not come again; the new ones are added.</param>
    /// <returns>Fewer than <paramref name="count"/> when there are no more.</returns>
    internal static List<Problem> Distinct(ProblemSetPart part, ulong seed, Split split, int count, HashSet<string> signatures)
    {
        var family = ProblemFamilies.Get(part.Family);
        var problems = new List<Problem>();
        var repeats = 0;
        for (long index = 0; problems.Count < count && repeats < MaxRepeats; index++)
        {
            var problem = family.Generate(seed, index, split, part.Level);
            if (signatures.Add(problem.Signature))
            {
                problems.Add(problem);
                repeats = 0;
            }
            else
            {
                repeats++;
            }
        }

        return problems;
    }
}
