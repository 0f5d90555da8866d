namespace Distill.Data.Problems;

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
    public static IReadOnlyList<Problem> Generate(IReadOnlyList<MixturePart> parts, ulong seed, Split split, int count)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Check(parts);
        var shares = Shares(parts, count);
        var problems = new List<Problem>(count);
        // One for all parts: two levels of a family can ask the same.
        var signatures = new HashSet<string>();
        for (var i = 0; i < parts.Count; i++)
            problems.AddRange(Distinct(parts[i], seed, split, shares[i], signatures));
        new RandomSource("problem set", SplitRule.Word(split), seed, count).Shuffle(problems);
        return problems;
    }

    private static void Check(IReadOnlyList<MixturePart> parts)
    {
        if (parts.Count == 0)
            throw new ArgumentException("A set of problems needs at least one family.", nameof(parts));
        foreach (var part in parts)
        {
            var family = ProblemFamilies.Get(part.Family);
            if (part.Level < 1 || part.Level > family.MaxLevel)
                throw new ArgumentException($"{part.Family} has levels 1 to {family.MaxLevel}, not {part.Level}.", nameof(parts));
            if (!double.IsFinite(part.Weight) || part.Weight <= 0)
                throw new ArgumentException($"{part.Family} level {part.Level} has weight {part.Weight}; it must be above 0.", nameof(parts));
        }

        if (!double.IsFinite(parts.Sum(part => part.Weight)))
            throw new ArgumentException("The weights are too large to be added up.", nameof(parts));
        if (parts.GroupBy(part => (part.Family, part.Level)).FirstOrDefault(group => group.Count() > 1) is { Key: var twice })
            throw new ArgumentException($"{twice.Family} level {twice.Level} is named twice.", nameof(parts));
    }

    /// <summary>Largest remainders: whole shares that add up to <paramref name="count"/>; ties go to the earlier part.</summary>
    private static int[] Shares(IReadOnlyList<MixturePart> parts, int count)
    {
        var total = parts.Sum(part => part.Weight);
        var exact = parts.Select(part => count * (part.Weight / total)).ToArray();
        var shares = exact.Select(share => (int)share).ToArray();
        var byRemainder = Enumerable.Range(0, parts.Count).OrderByDescending(i => exact[i] - shares[i]).ThenBy(i => i).ToArray();
        var rest = count - shares.Sum();
        for (var i = 0; i < rest; i++)
            shares[byRemainder[i]]++;
        return shares;
    }

    private static List<Problem> Distinct(MixturePart part, ulong seed, Split split, int count, HashSet<string> signatures)
    {
        var family = ProblemFamilies.Get(part.Family);
        var problems = new List<Problem>(count);
        var repeats = 0;
        for (long index = 0; problems.Count < count; index++)
        {
            var problem = family.Generate(seed, index, split, part.Level);
            if (signatures.Add(problem.Signature))
            {
                problems.Add(problem);
                repeats = 0;
            }
            else if (++repeats == MaxRepeats)
            {
                throw new ArgumentException(
                    $"{part.Family} level {part.Level} has only about {problems.Count} different {SplitRule.Word(split)} problems, {count} were asked for: "
                    + "ask for fewer, lower its weight, or take a higher level.",
                    nameof(count));
            }
        }

        return problems;
    }
}
