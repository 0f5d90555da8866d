namespace Distill.Data.Problems.Contradiction;

/// <summary>
/// The trace: every statement as a link, then the chain from each left-hand person in turn until it ends, or meets a person of the same
/// chain <c>again</c>, which is the contradiction. People whose chain is known to end are <c>ok</c>.
/// </summary>
internal static class ChainTrace
{
    public static string Write(ContradictionContent content)
    {
        var items = content.Statements.Select(statement => $"{content.Names[statement.Greater]} > {content.Names[statement.Smaller]}").ToList();
        var below = content.Statements.ToDictionary(statement => statement.Greater, statement => statement.Smaller);
        var known = new HashSet<int>();
        foreach (var statement in content.Statements)
        {
            var chain = Follow(below, known, statement.Greater, out var ending);
            items.Add(chain.Count == 1 ? $"{content.Names[chain[0]]} ok" : $"from {string.Join(" > ", chain.Select(p => content.Names[p]))} {ending}");
            if (ending == "again")
                break;
            known.UnionWith(chain);
        }

        return string.Join(" ; ", items);
    }

    private static List<int> Follow(Dictionary<int, int> below, HashSet<int> known, int start, out string ending)
    {
        var chain = new List<int> { start };
        while (true)
        {
            if (known.Contains(chain[^1]))
            {
                ending = "ok";
                return chain;
            }

            if (!below.TryGetValue(chain[^1], out var next))
            {
                ending = "end";
                return chain;
            }

            var again = chain.Contains(next);
            chain.Add(next);
            if (again)
            {
                ending = "again";
                return chain;
            }
        }
    }
}
