namespace Distill.Generation.Constraints;

/// <summary>Finds the tokens that may follow a reading: a walk through their tree that turns back where a byte may not stand.</summary>
/// <param name="allowed">Gets a bit for each.</param>
internal sealed class TrieWalk(TokenTrie trie, ulong[] allowed)
{
    // Readings by depth in the tree; each list is used again by the next node of its depth.
    private readonly List<List<Frame>> readings = [];

    public void Run(Frame frame)
    {
        Visit(0, trie.Count, 0, [frame]);
    }

    /// <summary>Every reading of some bytes.</summary>
    public static List<Frame> Read(Frame frame, ReadOnlySpan<byte> bytes)
    {
        List<Frame> now = [frame];
        foreach (byte next in bytes)
        {
            var after = new List<Frame>();
            foreach (var each in now) each.Step(next, after);
            Merge(after);
            now = after;
        }

        return now;
    }

    private void Visit(int first, int end, int depth, List<Frame> frames)
    {
        if (readings.Count == depth) readings.Add([]);
        var after = readings[depth];
        for (int node = first; node < end; node = trie.Next(node))
        {
            after.Clear();
            foreach (var frame in frames) frame.Step(trie.Label(node), after);
            if (after.Count == 0) continue;
            Merge(after);
            foreach (int token in trie.Tokens(node)) allowed[token >> 6] |= 1UL << token;
            Visit(node + 1, trie.Next(node), depth + 1, after);
        }
    }

    /// <summary>Equal readings have an equal future: one is enough, and many would multiply.</summary>
    /// <exception cref="NotSupportedException">There are too many.</exception>
    public static void Merge(List<Frame> frames)
    {
        if (frames.Count < 2) return;
        var distinct = frames.Distinct().ToList();
        if (distinct.Count > Frame.MostReadings)
            throw new NotSupportedException(
                $"The schema lets one output be read in more than {Frame.MostReadings} ways at once: too many of its alternatives go on "
                    + "alike. Listed values as one 'enum', or a property that tells objects apart, have fewer.");
        if (distinct.Count == frames.Count) return;
        frames.Clear();
        frames.AddRange(distinct);
    }
}
