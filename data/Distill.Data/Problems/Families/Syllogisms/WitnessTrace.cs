namespace Distill.Data.Problems.Families.Syllogisms;

/// <summary>
/// The trace: somebody of each group, then somebody of each "some" statement, with all that the universal statements say of them
/// (<c>bakers : chefs , not dancers</c>). Somebody who would be in a group and not in it cannot be: <c>no</c>, the statements contradict
/// each other. Otherwise the answer can be read off these lines. Complete, because the universal statements are clauses of two literals.
/// </summary>
internal static class WitnessTrace
{
    public static string Write(SyllogismContent content, string answer)
    {
        var items = new List<string>();
        foreach (var witness in Witnesses(content))
        {
            var (text, isPossible) = Line(content, witness);
            items.Add(text);
            if (!isPossible)
                break;
        }

        items.Add($"so {answer}");
        return string.Join(" ; ", items);
    }

    /// <summary>What is known of one witness.</summary>
    public static (string Text, bool IsPossible) Line(SyllogismContent content, params IReadOnlyList<(int Group, bool In)> witness)
    {
        List<(int Group, bool In)> known = [.. witness];
        var isPossible = Close(content.Premises, known);
        var news = known.Skip(witness.Count).Select(literal => Say(content, literal)).DefaultIfEmpty("nothing");
        var line = $"{string.Join(" , ", witness.Select(literal => Say(content, literal)))} : {string.Join(" , ", news)}";
        return (isPossible ? line : $"{line} no", isPossible);
    }

    private static IEnumerable<IReadOnlyList<(int Group, bool In)>> Witnesses(SyllogismContent content)
    {
        // "some b are a" is spoken of in this order, though it is kept as "some a are b".
        List<Categorical> spoken = [.. content.Premises.Select((premise, i) => content.IsTurned[i] && premise.IsSymmetric
            ? premise with { First = premise.Second, Second = premise.First }
            : premise)];
        foreach (var group in spoken.SelectMany(premise => new[] { premise.First, premise.Second }).Distinct())
            yield return [(group, true)];
        foreach (var premise in spoken.Where(premise => !premise.IsUniversal))
            yield return [(premise.First, true), (premise.Second, premise.Quantity == Quantity.Some)];
    }

    /// <returns>False when the last literal added contradicts another one.</returns>
    private static bool Close(IReadOnlyList<Categorical> premises, List<(int Group, bool In)> known)
    {
        for (var before = -1; before != known.Count;)
        {
            before = known.Count;
            foreach (var premise in premises.Where(premise => premise.IsUniversal))
            {
                var forbids = premise.Quantity == Quantity.No;
                foreach (var (condition, conclusion) in new[]
                {
                    ((premise.First, true), (premise.Second, !forbids)),
                    ((premise.Second, forbids), (premise.First, false)),
                })
                {
                    if (!known.Contains(condition) || known.Contains(conclusion))
                        continue;
                    known.Add(conclusion);
                    if (known.Contains((conclusion.Item1, !conclusion.Item2)))
                        return false;
                }
            }
        }

        return true;
    }

    private static string Say(SyllogismContent content, (int Group, bool In) literal) =>
        literal.In ? content.Groups[literal.Group] : $"not {content.Groups[literal.Group]}";
}
