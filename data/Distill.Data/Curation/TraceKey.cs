using Distill.Data.Similarity;
using Distill.Verification;

namespace Distill.Data.Curation;

/// <summary>
/// What curation remembers of a trace between its two passes: about a hundred bytes, however long the trace is.
/// </summary>
internal struct TraceKey
{
    /// <summary>Of everything the trace says: settles ties between traces that differ in nothing a person would order by.</summary>
    public UInt128 Digest;

    /// <summary>Of reasoning and answer, white space at the ends aside.</summary>
    public UInt128 Content;

    public ulong Seed;

    /// <summary>Number of its problem's id, in the order of first appearance.</summary>
    public int Problem;

    /// <summary>Number of its problem's text, in the order of first appearance.</summary>
    public int Question;

    public int Sample, Tokens;

    public Verdict Verdict;

    /// <summary>Number of the reason it is dropped for; 0: it is kept.</summary>
    public byte Reason;

    public int Domain;

    /// <summary>Only where near duplicates or diversity are asked for.</summary>
    public MinHash? Sketch;
}

/// <summary>What is known of a question before its traces are compared.</summary>
/// <param name="Traces">All of them, dropped or not.</param>
/// <param name="Correct">Of these, with a right answer.</param>
internal readonly record struct QuestionTally(int Traces, int Correct);

/// <summary>Keys in the order of delivery, in blocks, so that a million of them are never copied to grow.</summary>
internal sealed class TraceKeys
{
    private const int BlockSize = 1 << 12;

    private readonly List<TraceKey[]> blocks = [];

    public int Count { get; private set; }

    public ref TraceKey this[int place] => ref blocks[place / BlockSize][place % BlockSize];

    public void Add(in TraceKey key)
    {
        if (Count % BlockSize == 0) blocks.Add(new TraceKey[BlockSize]);
        this[Count++] = key;
    }
}

/// <summary>Numbers for names, in the order of first appearance.</summary>
internal sealed class NameNumbers
{
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly List<string> names = [];

    public IReadOnlyList<string> Names => names;

    public int Of(string name)
    {
        if (numbers.TryGetValue(name, out int number)) return number;
        names.Add(name);
        return numbers[name] = names.Count - 1;
    }
}
