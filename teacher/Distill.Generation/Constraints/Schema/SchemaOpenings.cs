namespace Distill.Generation.Constraints;

/// <summary>
/// What a value's first byte has to pass: references and choices, one behind another. Their chains are short, end, and fan out into few
/// readings that begin alike; whatever is read from a schema is walked by recursion afterwards, once a byte.
/// </summary>
internal sealed class SchemaOpenings
{
    private const int MostChain = 128;

    private readonly Dictionary<SchemaNode, Opening> known = [];

    /// <param name="references">By their pointers.</param>
    /// <param name="nodes">All of a schema, these among them.</param>
    /// <exception cref="ArgumentException">A reference leads back to itself without an object or array between.</exception>
    /// <exception cref="NotSupportedException">A chain is too long, or too many alternatives begin alike.</exception>
    public void Require(IEnumerable<(string Pointer, SchemaNode Node)> references, IEnumerable<SchemaNode> nodes)
    {
        foreach (var (pointer, node) in references)
        {
            if (Read(node, []) is null) throw new ArgumentException($"The reference '#{pointer}' leads to itself and nothing else.");
        }

        foreach (var node in nodes) Read(node, []);
    }

    /// <returns>Null where the node leads back to one of the path.</returns>
    private Opening? Read(SchemaNode node, HashSet<SchemaNode> path)
    {
        if (known.TryGetValue(node, out var opening)) return opening;
        if (!path.Add(node)) return null;
        if (path.Count > MostChain) throw TooLong();
        opening = Opening.Of(node);
        foreach (var next in node.Openings)
        {
            if (Read(next, path) is not { } behind) return null;
            opening = opening.Over(behind);
        }

        if (opening.Length > MostChain) throw TooLong();
        if (opening.Alike > Frame.MostReadings)
            throw new NotSupportedException(
                $"The schema has more than {Frame.MostReadings} alternatives that begin alike, which constrained output does not support.");
        path.Remove(node);
        known[node] = opening;
        return opening;
    }

    private static NotSupportedException TooLong() => new(
        $"The schema has more than {MostChain} references and choices one behind another, which constrained output does not support.");

    /// <param name="Length">Nodes one behind another.</param>
    private readonly record struct Opening(int Length, int Strings, int Objects, int Arrays, int Numbers, int Literals)
    {
        public int Alike => Math.Max(Math.Max(Strings, Objects), Math.Max(Arrays, Numbers)) + Literals;

        public static Opening Of(SchemaNode node) => node switch
        {
            StringNode or PatternNode => new Opening(1, 1, 0, 0, 0, 0),
            ObjectNode => new Opening(1, 0, 1, 0, 0, 0),
            ArrayNode => new Opening(1, 0, 0, 1, 0, 0),
            NumberNode => new Opening(1, 0, 0, 0, 1, 0),
            LiteralNode => new Opening(1, 0, 0, 0, 0, 1),
            _ => new Opening(1, 0, 0, 0, 0, 0),
        };

        // No overflow: what is added is within the limit, and it is checked after at most as many nodes as a schema has.
        public Opening Over(Opening next) => new(
            Math.Max(Length, next.Length + 1), Strings + next.Strings, Objects + next.Objects, Arrays + next.Arrays,
            Numbers + next.Numbers, Literals + next.Literals);
    }
}
