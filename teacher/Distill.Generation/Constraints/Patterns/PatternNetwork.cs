using System.Text;

namespace Distill.Generation.Constraints;

/// <summary>
/// A pattern as a nondeterministic automaton over UTF-8 (Thompson 1968; ranges of code points cut as in utf8-ranges). Grows while it is
/// built.
/// </summary>
internal sealed class PatternNetwork
{
    private const int MostStates = 20_000;

    private readonly List<List<int>> free = [];
    private readonly List<List<(byte Low, byte High, int To)>> edges = [];

    /// <exception cref="NotSupportedException">The pattern is too large, or anchors stand inside it.</exception>
    public PatternNetwork(PatternSyntax syntax)
    {
        Start = Add();
        Accept = Add();
        foreach (var alternative in syntax is PatternSyntax.Choice choice ? choice.Alternatives : [syntax])
        {
            IReadOnlyList<PatternSyntax> parts = alternative is PatternSyntax.Sequence sequence ? sequence.Parts : [alternative];
            bool begins = parts is [PatternSyntax.Begin, ..], ends = parts is [.., PatternSyntax.End];
            int from = begins ? Start : Anything(Start);
            int to = Build(parts.Skip(begins ? 1 : 0).SkipLast(ends && parts.Count > (begins ? 1 : 0) ? 1 : 0), from);
            free[ends ? to : Anything(to)].Add(Accept);
        }
    }

    public int Count => free.Count;

    public int Start { get; }

    public int Accept { get; }

    public IReadOnlyList<int> Free(int state) => free[state];

    public IReadOnlyList<(byte Low, byte High, int To)> Edges(int state) => edges[state];

    private int Build(IEnumerable<PatternSyntax> parts, int from) => parts.Aggregate(from, (at, part) => Build(part, at));

    /// <returns>The state behind the part.</returns>
    private int Build(PatternSyntax syntax, int from)
    {
        switch (syntax)
        {
            case PatternSyntax.Characters characters:
                int read = Add();
                foreach (var (low, high) in characters.Ranges) AddRange(from, read, low, high);
                return read;
            case PatternSyntax.Sequence sequence:
                return Build(sequence.Parts, from);
            case PatternSyntax.Choice choice:
                int joined = Add();
                foreach (var alternative in choice.Alternatives) free[Build(alternative, Free(from, Add()))].Add(joined);
                return joined;
            case PatternSyntax.Repeat repeat:
                return Build(repeat, from);
            default:
                throw new NotSupportedException("an anchor that is not at the pattern's beginning or end");
        }
    }

    private int Build(PatternSyntax.Repeat repeat, int from)
    {
        for (int i = 0; i < repeat.Least; i++) from = Build(repeat.Part, from);
        if (repeat.Most is null)
        {
            int loop = Free(from, Add());
            free[Build(repeat.Part, Free(loop, Add()))].Add(loop);
            return loop;
        }

        int end = Add();
        for (int i = repeat.Least; i < repeat.Most; i++)
        {
            free[from].Add(end);
            from = Build(repeat.Part, Free(from, Add()));
        }

        return Free(from, end);
    }

    private int Anything(int from)
    {
        int loop = Free(from, Add());
        foreach (var (low, high) in CodePoints.All) AddRange(loop, loop, low, high);
        return loop;
    }

    private int Free(int from, int to)
    {
        free[from].Add(to);
        return to;
    }

    private int Add()
    {
        if (free.Count >= MostStates) throw new NotSupportedException($"a pattern of more than {MostStates} states");
        free.Add([]);
        edges.Add([]);
        return free.Count - 1;
    }

    /// <summary>Cuts a range until all of its characters have as many bytes and differ only where all values of a byte occur.</summary>
    private void AddRange(int from, int to, int low, int high)
    {
        if (low > high) return;
        foreach (int end in (ReadOnlySpan<int>)[0x7F, 0x7FF, 0xFFFF])
        {
            if (low > end || high <= end) continue;
            AddRange(from, to, low, end);
            AddRange(from, to, end + 1, high);
            return;
        }

        for (int bits = 6; high > 0x7F && bits <= 18; bits += 6)
        {
            int mask = (1 << bits) - 1;
            if ((low & ~mask) == (high & ~mask)) break;
            if ((low & mask) != 0)
            {
                AddRange(from, to, low, low | mask);
                AddRange(from, to, (low | mask) + 1, high);
                return;
            }

            if ((high & mask) == mask) continue;
            AddRange(from, to, low, (high & ~mask) - 1);
            AddRange(from, to, high & ~mask, high);
            return;
        }

        Span<byte> first = stackalloc byte[4], last = stackalloc byte[4];
        int length = new Rune(low).EncodeToUtf8(first);
        new Rune(high).EncodeToUtf8(last);
        for (int i = 0; i < length; i++)
        {
            int next = i == length - 1 ? to : Add();
            edges[from].Add((first[i], last[i], next));
            from = next;
        }
    }
}
