namespace Distill.Student.Training;

/// <summary>
/// What each optimiser step trains on, as a pure function of the step's number: a resumed run sees the same data without
/// replaying anything. Called by the training thread only.
/// </summary>
internal interface IExampleSource
{
    /// <summary>Optimiser steps in the whole training.</summary>
    int Steps { get; }

    /// <param name="step">0 to <see cref="Steps"/> − 1.</param>
    IReadOnlyList<TrainingSequence> At(int step);
}

/// <summary>
/// A fixed list of examples, shuffled anew for every epoch and cut into steps of about equal numbers of tokens. Immutable.
/// </summary>
internal sealed class EpochSource : IExampleSource
{
    private readonly List<IReadOnlyList<TrainingSequence>> steps = [];

    /// <param name="batchTokens">
    /// A step ends with the sequence that reaches this many tokens; the rest of an epoch is a step of its own if it has at least half of
    /// that, else it joins the last.
    /// </param>
    public EpochSource(IReadOnlyList<TrainingSequence> examples, int epochs, int batchTokens, ulong seed)
    {
        if (examples.Count == 0) throw new ArgumentException("There is nothing to train on: the list of examples is empty.");
        for (int epoch = 0; epoch < epochs; epoch++) AddEpoch(examples, batchTokens, seed + (ulong)epoch * 0x9E3779B97F4A7C15);
    }

    public int Steps => steps.Count;

    public IReadOnlyList<TrainingSequence> At(int step) => steps[step];

    private void AddEpoch(IReadOnlyList<TrainingSequence> examples, int batchTokens, ulong seed)
    {
        var current = new List<TrainingSequence>();
        int tokens = 0, first = steps.Count;
        foreach (int index in Permutation.Of(examples.Count, seed))
        {
            current.Add(examples[index]);
            tokens += examples[index].Tokens.Count;
            if (tokens < batchTokens) continue;
            steps.Add(current);
            (current, tokens) = ([], 0);
        }

        if (current.Count == 0) return;
        if (tokens * 2 >= batchTokens || steps.Count == first) steps.Add(current);
        else steps[^1] = [.. steps[^1], .. current];
    }
}

/// <summary>
/// Best-fit decreasing: the longest item first, each into the bin where it leaves the least space (the rule of TRL's <c>bfd</c> strategy,
/// <c>pack_dataset</c> in <c>trl/data_utils.py</c>; Ding et al. 2024, arXiv 2404.10830). n items take O(n log n).
/// </summary>
internal static class BestFitPacking
{
    /// <param name="sizes">Of the items; those of size 0 are left out.</param>
    /// <returns>
    /// Bins of item indices, in the order in which they were opened. Of bins with equal space the one that has had it longest is taken.
    /// </returns>
    /// <exception cref="ArgumentException">An item is larger than a bin: nothing is ever cut off.</exception>
    public static IReadOnlyList<IReadOnlyList<int>> Pack(IReadOnlyList<int> sizes, int capacity)
    {
        if (sizes.Any(size => size > capacity))
            throw new ArgumentException($"An item of {sizes.Max()} does not fit into a bin of {capacity}.", nameof(sizes));
        var bins = new List<List<int>>();
        var open = new SortedSet<(int Space, int Since, int Bin)>();
        int placed = 0;
        foreach (int item in Enumerable.Range(0, sizes.Count).Where(item => sizes[item] > 0).OrderByDescending(item => sizes[item]))
        {
            var fitting = open.GetViewBetween((sizes[item], 0, 0), (capacity, int.MaxValue, int.MaxValue));
            var best = fitting.Count > 0 ? fitting.Min : (Space: capacity, Since: 0, Bin: bins.Count);
            if (best.Bin == bins.Count) bins.Add([]);
            else open.Remove(best);
            bins[best.Bin].Add(item);
            if (best.Space > sizes[item]) open.Add((best.Space - sizes[item], ++placed, best.Bin));
        }

        return bins;
    }
}

/// <summary>A seeded permutation: Fisher–Yates over SplitMix64, the same on every machine and runtime version.</summary>
internal static class Permutation
{
    public static int[] Of(int count, ulong seed)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            seed += 0x9E3779B97F4A7C15;
            ulong z = seed;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            int j = (int)(((UInt128)(z ^ (z >> 31)) * (ulong)(i + 1)) >> 64);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }
}
