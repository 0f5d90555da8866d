using Distill.Data.Problems;

namespace Distill.Data.Sources.Selection;

/// <summary>One entry of a mixture: a generated family, or a source of a pool.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Family">Null for a source.</param>
/// <param name="Pooled">The source's place in the pool.</param>
/// <param name="Goes">The only split that it gives to; null: to each that no entry is there for alone.</param>
/// <param name="Weight">Share relative to others; null: as much as there is.</param>
internal sealed record MixtureEntry(string Name, ProblemSetPart? Family, int Pooled, Split? Goes, double? Weight);

/// <summary>
/// The problems of a split out of several entries. With weights each gives its share, whole problems by largest remainders, and less than
/// that is a fault. Without weights sources give all that they have, up to the number wanted, and families fill what is left. Where a
/// source has more than is wanted, a hash of each question and the seed decides, so that a sorted file is no trap and another seed draws
/// others.
/// </summary>
internal sealed class ProblemMixture(IReadOnlyList<MixtureEntry> entries, ProblemPool pool, ulong seed)
{
    /// <summary>
    /// Training problems stay in the order of their sources, so that a file that grows keeps the places of those it had; held-out ones are
    /// mixed, so that the first of them are like the rest, and more of them begin with the same.
    /// </summary>
    /// <exception cref="InvalidDataException">There are too few; the message says where and what to lower.</exception>
    public IReadOnlyList<Problem> Take(Split split, int count)
    {
        if (count == 0) return [];
        var feeders = FeedersOf(split);
        if (feeders.Count == 0 && split != Split.Validation)
            throw new InvalidDataException($"no source gives {SplitRule.Word(split)} problems: name one.");
        bool isWeighted = feeders.Any(feeder => feeder.Weight is not null);
        var taken = isWeighted ? Weighted(feeders, split, count) : Whole(feeders, split, count);
        // Whether anything is steered by validation problems, whoever asks for them knows.
        if (taken.Count == 0 && split != Split.Validation)
        {
            throw new InvalidDataException($"no {SplitRule.Word(split)} problem is left: "
                + (split == Split.Train ? "give more rows." : "name test_sources, or a source with its own split, or give more rows."));
        }

        return split == Split.Train ? taken : [.. taken.OrderBy(RankOf).ThenBy(problem => problem.Id, StringComparer.Ordinal)];
    }

    /// <summary>Which entries give to a split.</summary>
    private List<MixtureEntry> FeedersOf(Split split)
    {
        bool isOwn = split != Split.Train && entries.Any(entry => entry.Goes == split);
        return [.. entries.Where(entry => entry.Goes == split || (entry.Goes is null && !isOwn))];
    }

    private List<Problem> Weighted(List<MixtureEntry> feeders, Split split, int count)
    {
        int[] shares = ProblemSet.Shares([.. feeders.Select(feeder => feeder.Weight ?? 1)], count);
        var signatures = new HashSet<string>(StringComparer.Ordinal);
        var taken = new List<Problem>(count);
        for (int i = 0; i < feeders.Count; i++)
        {
            if (feeders[i].Family is { } part) taken.AddRange(Drawn(part, split, shares[i], signatures));
            else taken.AddRange(Chosen(feeders[i], [.. pool.Of(feeders[i].Pooled, split)], split, shares[i]));
        }

        return taken;
    }

    private List<Problem> Whole(List<MixtureEntry> feeders, Split split, int count)
    {
        var all = feeders.Where(feeder => feeder.Family is null).SelectMany(feeder => pool.Of(feeder.Pooled, split)).ToList();
        var taken = Sampled(all, Math.Min(count, all.Count));
        var families = feeders.Where(feeder => feeder.Family is not null).ToList();
        if (families.Count == 0 || taken.Count == count) return taken;
        int[] shares = ProblemSet.Shares([.. families.Select(_ => 1.0)], count - taken.Count);
        var signatures = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (family, share) in families.Zip(shares)) taken.AddRange(Drawn(family.Family!, split, share, signatures));
        return taken;
    }

    private List<Problem> Drawn(ProblemSetPart part, Split split, int share, HashSet<string> signatures)
    {
        var drawn = ProblemSet.Distinct(part, seed, split, share, signatures);
        return drawn.Count == share ? drawn : throw new InvalidDataException(ProblemSet.Shortage(part, split, drawn.Count, share));
    }

    private List<Problem> Chosen(MixtureEntry entry, List<Problem> there, Split split, int share) => there.Count >= share
        ? Sampled(there, share)
        : throw new InvalidDataException(
            $"{entry.Name} has {there.Count:N0} {SplitRule.Word(split)} problems, its share is {share:N0}: ask for fewer, "
                + "lower its weight, or "
            + "leave the weights out, and each source gives what it has.");

    private List<Problem> Sampled(List<Problem> problems, int count)
    {
        if (problems.Count <= count) return problems;
        int[] chosen = [.. Enumerable.Range(0, problems.Count).OrderBy(i => RankOf(problems[i])).ThenBy(i => i).Take(count).Order()];
        return [.. chosen.Select(i => problems[i])];
    }

    private ulong RankOf(Problem problem) => StableHash.Mix(StableHash.Of(problem.Signature) ^ StableHash.Mix(seed + 1));
}
