using System.Text;
using Distill.Data.Problems;
using Distill.Data.Similarity;

namespace Distill.Data.Sources.Selection;

/// <summary>A question as the words by which it is compared with others.</summary>
internal static class QuestionWords
{
    /// <summary>
    /// Hashes of runs of tokens. A token is a run of letters and digits in lower case, an ideograph or kana (nothing stands between the
    /// words of such texts), or, where <paramref name="symbols"/> count, any other mark that is not of a sentence: without them 3 + 4 and
    /// 3 * 4 are the same words.
    /// </summary>
    /// <param name="run">Tokens in a row. A text that is shorter is one run by itself where <paramref name="shorter"/> says so.</param>
    public static void Runs(string text, int run, bool symbols, bool shorter, List<ulong> hashes)
    {
        hashes.Clear();
        Span<ulong> ring = stackalloc ulong[run];
        int tokens = 0;
        for (int i = 0; i < text.Length;)
        {
            var rune = RuneAt(text, i);
            bool isAlone = WordHashes.IsAlone(rune.Value), isWord = isAlone || Rune.IsLetterOrDigit(rune);
            if (!isWord && !(symbols && IsSymbol(rune)))
            {
                i += rune.Utf16SequenceLength;
                continue;
            }

            ring[tokens % run] = isWord && !isAlone ? Word(text, ref i) : StableHash.Mix((ulong)rune.Value);
            if (isAlone || !isWord) i += rune.Utf16SequenceLength;
            if (++tokens >= run) hashes.Add(Joined(ring, tokens, run));
        }

        if (shorter && tokens > 0 && tokens < run) hashes.Add(Joined(ring, tokens, tokens));
    }

    private static ulong Word(string text, ref int i)
    {
        ulong hash = 14695981039346656037; // FNV-1a, as StableHash
        while (i < text.Length && RuneAt(text, i) is var rune && Rune.IsLetterOrDigit(rune) && !WordHashes.IsAlone(rune.Value))
        {
            hash = (hash ^ (uint)Rune.ToLowerInvariant(rune).Value) * 1099511628211;
            i += rune.Utf16SequenceLength;
        }

        return hash;
    }

    // The newest token is at (tokens - 1); order counts.
    private static ulong Joined(ReadOnlySpan<ulong> ring, int tokens, int length)
    {
        ulong joined = (ulong)length;
        for (int k = tokens - length; k < tokens; k++) joined = StableHash.Mix(joined ^ ring[k % ring.Length]) + 0x9E3779B97F4A7C15;
        return joined;
    }

    // Half of a pair stands for what no text holds, as elsewhere.
    private static Rune RuneAt(string text, int i) => Rune.TryGetRuneAt(text, i, out var rune) ? rune : Rune.ReplacementChar;

    private static bool IsSymbol(Rune rune) => !Rune.IsWhiteSpace(rune)
        && rune.Value is not ('.' or ',' or ';' or ':' or '?' or '!' or '"' or '\'' or '“' or '”' or '’' or '‘' or '$'
            or '，' or '。' or '、' or '；' or '：' or '？' or '！');
}
