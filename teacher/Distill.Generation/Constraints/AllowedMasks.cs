using System.Collections.Concurrent;

namespace Distill.Generation.Constraints;

/// <summary>
/// Which tokens may follow a reading: computed once and kept, within one limit for all constraints of a tokenizer. Thread-safe.
/// </summary>
internal sealed class AllowedMasks(ConstraintVocabulary vocabulary)
{
    private const int MostKept = 8000;
    private const long MostKeptBytes = 64L << 20;

    private readonly ConcurrentDictionary<Frame, ulong[]> kept = new();

    /// <summary>Adds the tokens that may follow.</summary>
    /// <param name="allowed">Bit id % 64 of word id / 64.</param>
    /// <exception cref="NotSupportedException">There are too many ways to read what may follow.</exception>
    public void Add(Frame frame, Span<ulong> allowed)
    {
        if (frame is MarkFrame mark)
        {
            allowed[mark.Token >> 6] |= 1UL << mark.Token;
            return;
        }

        // Plain tokens are known by their length alone; only the others depend on what stands behind the string.
        int room = frame.PlainRoom;
        if (room > 0) Join(vocabulary.PlainWithin(room), allowed);
        Join(Walked(frame.Within(room > 0 ? vocabulary.LongestOther : ConstraintVocabulary.LongestToken)), allowed);
    }

    private ulong[] Walked(Frame frame)
    {
        if (kept.TryGetValue(frame, out ulong[]? known)) return known;
        ulong[] walked = new ulong[vocabulary.Words];
        new TrieWalk(frame.PlainRoom > 0 ? vocabulary.Other : vocabulary.All, walked).Run(frame);
        if (kept.Count >= Math.Min(MostKept, MostKeptBytes / (8L * vocabulary.Words))) kept.Clear();
        kept[frame] = walked;
        return walked;
    }

    private static void Join(ReadOnlySpan<ulong> more, Span<ulong> allowed)
    {
        for (int word = 0; word < more.Length; word++) allowed[word] |= more[word];
    }
}
