namespace Distill.Benchmarks.Measuring;

/// <summary>
/// Runs variants in turns within one process, so that a slow minute of the machine hits all of them alike. The first round warms up and
/// does not count; every second round goes backwards, so that none always follows the same other.
/// </summary>
internal static class Interleaving
{
    /// <returns>By variant: what each counted round gave.</returns>
    public static IReadOnlyList<IReadOnlyList<T>> Run<T>(int rounds, params IReadOnlyList<Func<T>> variants)
    {
        var results = variants.Select(_ => new List<T>()).ToArray();
        for (int round = 0; round <= rounds; round++)
        {
            for (int i = 0; i < variants.Count; i++)
            {
                int variant = round % 2 == 0 ? i : variants.Count - 1 - i;
                var result = variants[variant]();
                if (round > 0) results[variant].Add(result);
            }
        }

        return results;
    }
}
