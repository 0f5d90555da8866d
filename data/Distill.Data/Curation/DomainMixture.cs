using Distill.Data.Problems;

namespace Distill.Data.Curation;

/// <summary>
/// Brings the domains of what is kept to given shares, by dropping from those that have more: as many traces stay as the scarcest domain
/// allows. Which ones go is drawn by a seeded hash of the trace, so that the order of delivery plays no part.
/// </summary>
internal static class DomainMixture
{
    /// <param name="kept">By domain, the traces that may be kept: what to draw by, and the place.</param>
    /// <param name="weights">By domain; relative to one another.</param>
    /// <returns>Places of the traces that must go.</returns>
    public static IEnumerable<int> Surplus(
        IReadOnlyDictionary<string, List<(UInt128 Digest, int Place)>> kept, IReadOnlyDictionary<string, double> weights, ulong seed)
    {
        var present = weights.Where(domain => kept.ContainsKey(domain.Key)).ToList();
        double scale = present.Where(domain => domain.Value > 0)
            .Select(domain => kept[domain.Key].Count / domain.Value).DefaultIfEmpty(0).Min();
        foreach (var (domain, weight) in present)
        {
            int wanted = weight == 0 ? 0 : Math.Min(kept[domain].Count, Math.Max(1, (int)Math.Floor((scale * weight) + 1e-9)));
            foreach (var (_, place) in kept[domain].OrderBy(trace => Draw(trace.Digest, seed)).ThenBy(trace => trace.Digest).Skip(wanted))
                yield return place;
        }
    }

    private static ulong Draw(UInt128 digest, ulong seed) => StableHash.Mix((ulong)digest ^ StableHash.Mix(seed + 0x6D69_7874));
}
