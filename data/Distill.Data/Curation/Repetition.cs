using Distill.Data.Similarity;

namespace Distill.Data.Curation;

/// <summary>How a text repeats itself. Time in the length of the text.</summary>
internal static class Repetition
{
    // Longer circles are rare, and a sum of a few equal terms is none.
    private const int LongestPeriod = 128, FewestWords = 24, FewestLines = 8;

    /// <summary>Whether a text ends in the same words at least so many times in a row, two dozen words or more in all.</summary>
    public static bool EndsInLoop(string text, int times)
    {
        ulong[] words = WordHashes.Of(text);
        for (int period = 1; period <= Math.Min(LongestPeriod, words.Length / times); period++)
        {
            int wanted = Math.Max(times * period, FewestWords);
            if (words.Length >= wanted && Repeats(words.AsSpan(words.Length - wanted), period)) return true;
        }

        return false;
    }

    /// <summary>Share of lines, blank ones aside, that stood before in the text; 0 for fewer than eight.</summary>
    public static double RepeatedLines(string text)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        int lines = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var trimmed = line.Trim();
            if (trimmed.IsEmpty) continue;
            lines++;
            seen.Add(trimmed.ToString());
        }

        return lines < FewestLines ? 0 : 1 - ((double)seen.Count / lines);
    }

    private static bool Repeats(ReadOnlySpan<ulong> words, int period) => words[period..].SequenceEqual(words[..^period]);
}
