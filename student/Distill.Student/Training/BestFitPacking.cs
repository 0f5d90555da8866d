namespace Distill.Student.Training;

/// <summary>
/// Best-fit decreasing: the longest item first, each into the bin where it leaves the least space (the rule of TRL's <c>bfd</c> strategy,
/// <c>pack_dataset</c> in <c>trl/data_utils.py</c>; Ding et al. 2024, arXiv 2404.10830). n items take O(n log n).
/// </summary>
public static class BestFitPacking
{
    /// <param name="sizes">Of the items; those of size 0 are left out.</param>
    /// <returns>Bins of item indices, in the order in which they were opened. Of bins with equal space the one that has had it longest is taken.</returns>
    /// <exception cref="ArgumentException">An item is larger than a bin: nothing is ever cut off.</exception>
    public static IReadOnlyList<IReadOnlyList<int>> Pack(IReadOnlyList<int> sizes, int capacity)
    {
        if (sizes.Any(size => size > capacity)) throw new ArgumentException($"An item of {sizes.Max()} does not fit into a bin of {capacity}.", nameof(sizes));
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
