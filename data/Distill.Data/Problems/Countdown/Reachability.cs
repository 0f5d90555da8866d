namespace Distill.Data.Problems.Countdown;

/// <summary>Exhaustive search over all ways to combine numbers with <c>+ - *</c>, each used exactly once.</summary>
internal static class Reachability
{
    /// <summary>
    /// Absolute values of everything reachable. Signs can be left out: whatever reaches −v reaches v with its subtractions turned round.
    /// </summary>
    /// <param name="numbers">At most five: the work grows with 3ⁿ splits.</param>
    public static IReadOnlySet<long> Of(IReadOnlyList<int> numbers)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(numbers.Count, 5);
        // [subset of numbers as bits] → what exactly this subset can make
        var reachable = new HashSet<long>[1 << numbers.Count];
        for (var subset = 1; subset < reachable.Length; subset++)
        {
            var values = reachable[subset] = [];
            if ((subset & (subset - 1)) == 0)
                values.Add(numbers[int.TrailingZeroCount(subset)]);
            for (var left = (subset - 1) & subset; left > 0; left = (left - 1) & subset)
                Combine(reachable[left], reachable[subset ^ left], values);
        }

        return reachable[^1];
    }

    private static void Combine(HashSet<long> left, HashSet<long> right, HashSet<long> values)
    {
        foreach (var a in left)
        {
            foreach (var b in right)
            {
                values.Add(a + b);
                values.Add(Math.Abs(a - b));
                values.Add(a * b);
            }
        }
    }
}
