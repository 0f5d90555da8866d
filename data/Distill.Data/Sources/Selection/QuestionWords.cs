using Distill.Data.Problems;

namespace Distill.Data.Sources.Selection;

/// <summary>A question as the words by which it is compared with others.</summary>
internal static class QuestionWords
{
    /// <summary>
    /// Hashes of runs of tokens. A token is a run of letters and digits in lower case, or, where <paramref name="symbols"/> count, any
    /// other mark that is not of a sentence: without them 3 + 4 and 3 * 4 are the same words.
    /// </summary>
    /// <param name="run">Tokens in a row. A text that is shorter is one run by itself where <paramref name="shorter"/> says so.</param>
    public static void Runs(string text, int run, bool symbols, bool shorter, List<ulong> hashes)
    {
        hashes.Clear();
        Span<ulong> ring = stackalloc ulong[run];
        int tokens = 0;
        for (int i = 0; i < text.Length;)
        {
            if (!IsWord(text[i]) && !(symbols && IsSymbol(text[i])))
            {
                i++;
                continue;
            }

            ring[tokens % run] = IsWord(text[i]) ? Word(text, ref i) : StableHash.Mix(text[i++]);
            if (++tokens >= run) hashes.Add(Joined(ring, tokens, run));
        }

        if (shorter && tokens > 0 && tokens < run) hashes.Add(Joined(ring, tokens, tokens));
    }

    private static ulong Word(string text, ref int i)
    {
        ulong hash = 14695981039346656037; // FNV-1a, as StableHash
        for (; i < text.Length && IsWord(text[i]); i++) hash = (hash ^ char.ToLowerInvariant(text[i])) * 1099511628211;
        return hash;
    }

    // The newest token is at (tokens - 1); order counts.
    private static ulong Joined(ReadOnlySpan<ulong> ring, int tokens, int length)
    {
        ulong joined = (ulong)length;
        for (int k = tokens - length; k < tokens; k++) joined = StableHash.Mix(joined ^ ring[k % ring.Length]) + 0x9E3779B97F4A7C15;
        return joined;
    }

    private static bool IsWord(char c) => char.IsLetterOrDigit(c);

    private static bool IsSymbol(char c) =>
        !char.IsWhiteSpace(c) && c is not ('.' or ',' or ';' or ':' or '?' or '!' or '"' or '\'' or '“' or '”' or '’' or '‘' or '$');
}
