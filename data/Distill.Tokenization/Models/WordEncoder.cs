using System.Collections.Concurrent;
using Distill.Tokenization.PreTokenizers;

namespace Distill.Tokenization.Models;

/// <summary>Encodes words and remembers the short ones: text repeats its words. Thread-safe; equal words always give equal ids.</summary>
/// <param name="model">The model behind.</param>
/// <param name="byteLevel">Words are written in the byte alphabet before the model sees them.</param>
/// <param name="forbidden">Ids that must not come out of text.</param>
internal sealed class WordEncoder(BytePairModel model, bool byteLevel, IReadOnlySet<int> forbidden)
{
    private const int Capacity = 1 << 16;
    private const int LongestKept = 48;

    private readonly ConcurrentDictionary<string, int[]> _known = new();
    private int _count;

    public void Encode(ReadOnlySpan<char> word, List<int> output)
    {
        if (word.IsEmpty) return;
        if (word.Length <= LongestKept && _known.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out int[]? ids))
        {
            output.AddRange(ids);
            return;
        }
        int start = output.Count;
        model.Encode(byteLevel ? ByteLevelPreTokenizer.Map(word) : word, forbidden, output);
        if (word.Length <= LongestKept && Volatile.Read(ref _count) < Capacity && _known.TryAdd(word.ToString(), [.. output.Skip(start)]))
            Interlocked.Increment(ref _count);
    }
}
