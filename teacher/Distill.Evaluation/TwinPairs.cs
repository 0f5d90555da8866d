using Distill.Data.Problems;

namespace Distill.Evaluation;

/// <summary>Finds each twin's original by its id.</summary>
internal static class TwinPairs
{
    /// <exception cref="ArgumentException">A problem is no twin, or its original is missing.</exception>
    public static IReadOnlyList<TwinPair> Match(IReadOnlyList<Problem> problems, IReadOnlyList<Problem> twins)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < problems.Count; i++) places.TryAdd(problems[i].Id, i);
        var pairs = new List<TwinPair>(twins.Count);
        for (int i = 0; i < twins.Count; i++)
        {
            if (ProblemId.TryParse(twins[i].Id) is not { Twin: { } kind } id)
                throw new ArgumentException($"'{twins[i].Id}' is not the id of a twin.", nameof(twins));
            string original = (id with { Twin = null }).ToString();
            if (!places.TryGetValue(original, out int place))
                throw new ArgumentException($"The original '{original}' of twin '{twins[i].Id}' is not among the problems.", nameof(twins));
            pairs.Add(new TwinPair(kind, place, i));
        }

        return pairs;
    }
}
