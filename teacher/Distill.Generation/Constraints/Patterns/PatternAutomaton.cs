using System.Collections;

namespace Distill.Generation.Constraints;

/// <summary>
/// A pattern as a deterministic automaton over UTF-8, without states from which no match can be reached by characters that a JSON string
/// spells in one way (all but the control characters without a short escape). Immutable.
/// </summary>
internal sealed class PatternAutomaton
{
    private const int MostStates = 5000;
    private const short Dead = -1;

    private readonly List<short[]> next = []; // [state][byte]
    private readonly List<bool> accepts = [];

    private PatternAutomaton(PatternNetwork network, PatternSet owner)
    {
        Determine(network, owner);
        Start = Prune();
    }

    /// <summary>−1 where nothing matches.</summary>
    public int Start { get; }

    /// <exception cref="NotSupportedException">What of the pattern is not known.</exception>
    public static PatternAutomaton Of(string pattern) => new PatternSet(null).Of(pattern);

    /// <param name="owner">Has the limits.</param>
    /// <inheritdoc cref="Of(string)"/>
    public static PatternAutomaton Of(string pattern, PatternSet owner)
    {
        var network = new PatternNetwork(new PatternParser(pattern).Parse());
        owner.Spend(states: 0, network.Count);
        return new PatternAutomaton(network, owner);
    }

    /// <returns>The state after one more byte; −1 where no match can follow.</returns>
    public int Next(int state, byte value) => next[state][value];

    /// <summary>Whether what was read matches.</summary>
    public bool Accepts(int state) => accepts[state];

    /// <summary>Whether the whole text matches.</summary>
    public bool Matches(ReadOnlySpan<byte> text)
    {
        int state = Start;
        foreach (byte value in text)
        {
            if (state < 0) return false;
            state = Next(state, value);
        }

        return state >= 0 && Accepts(state);
    }

    /// <summary>Subset construction (Rabin and Scott 1959).</summary>
    private void Determine(PatternNetwork network, PatternSet owner)
    {
        var known = new Dictionary<string, short>();
        var sets = new List<int[]>();
        var seen = new BitArray(network.Count);
        Find([network.Start]);
        for (int state = 0; state < sets.Count; state++)
        {
            short[] row = next[state];
            var (set, byTargets) = (sets[state], new Dictionary<string, short>());
            List<int> before = [];
            for (int value = 0; value < 256; value++)
            {
                if (!owner.CanStand((byte)value)) continue;
                var targets = new List<int>();
                foreach (int from in set)
                {
                    foreach (var (low, high, to) in network.Edges(from))
                    {
                        if (value >= low && value <= high) targets.Add(to);
                    }
                }

                if (targets.Count == 0) continue;
                if (value > 0 && row[value - 1] >= 0 && targets.SequenceEqual(before))
                {
                    row[value] = row[value - 1];
                    continue;
                }

                before = targets;
                string key = string.Join(',', targets);
                if (!byTargets.TryGetValue(key, out row[value])) byTargets[key] = row[value] = Find(targets);
            }
        }

        short Find(IEnumerable<int> targets)
        {
            int[] set = Closure(network, targets, seen);
            owner.Spend(states: 0, set.Length);
            string key = string.Join(',', set);
            if (known.TryGetValue(key, out short found)) return found;
            if (sets.Count >= MostStates) throw new NotSupportedException($"a pattern of more than {MostStates} states");
            owner.Spend(states: 1, 0);
            sets.Add(set);
            next.Add([.. Enumerable.Repeat(Dead, 256)]);
            accepts.Add(set.Contains(network.Accept));
            return known[key] = (short)(sets.Count - 1);
        }
    }

    private static int[] Closure(PatternNetwork network, IEnumerable<int> states, BitArray seen)
    {
        seen.SetAll(false);
        var open = new Stack<int>(states);
        var all = new List<int>();
        while (open.TryPop(out int state))
        {
            if (seen[state]) continue;
            seen[state] = true;
            all.Add(state);
            foreach (int to in network.Free(state)) open.Push(to);
        }

        all.Sort();
        return [.. all];
    }

    /// <summary>Cuts the ways into states that reach no match; gives the state to start from.</summary>
    private int Prune()
    {
        bool[] live = Live();
        foreach (short[] row in next)
        {
            for (int value = 0; value < row.Length; value++)
            {
                if (row[value] >= 0 && !live[row[value]]) row[value] = Dead;
            }
        }

        return live[0] ? 0 : Dead;
    }

    /// <summary>States from which a match can be reached: a search backwards from those that are one.</summary>
    private bool[] Live()
    {
        var before = next.Select(_ => new List<int>()).ToArray();
        for (int state = 0; state < next.Count; state++)
        {
            foreach (short to in next[state].Distinct().Where(to => to >= 0)) before[to].Add(state);
        }

        bool[] live = [.. accepts];
        var open = new Stack<int>(Enumerable.Range(0, live.Length).Where(state => live[state]));
        while (open.TryPop(out int state))
        {
            foreach (int from in before[state].Where(from => !live[from]))
            {
                live[from] = true;
                open.Push(from);
            }
        }

        return live;
    }
}
