namespace Distill.Generation;

/// <summary>
/// Finds the first of some strings in a text that arrives in pieces, across their borders, and holds back the longest end that may
/// still become one. One text per instance; not thread-safe.
/// </summary>
internal sealed class StopStringMatcher(IReadOnlyList<string> stopStrings)
{
    private string held = "";

    /// <summary>The string found: the one that begins first, of those the longest.</summary>
    public string? Matched { get; private set; }

    /// <returns>Text that is certain not to belong to a stop string; nothing more after a match.</returns>
    public string Push(string piece)
    {
        if (Matched is not null) return "";
        if (stopStrings.Count == 0) return piece;
        string text = held + piece;
        int start = -1;
        foreach (string stop in stopStrings)
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at < 0 || (start >= 0 && (at > start || (at == start && stop.Length <= Matched!.Length)))) continue;
            (start, Matched) = (at, stop);
        }

        int certain = Matched is null ? text.Length - Undecided(text) : start;
        held = Matched is null ? text[certain..] : "";
        return text[..certain];
    }

    /// <returns>What was held back: the text ended without becoming a stop string.</returns>
    public string Flush()
    {
        string rest = held;
        held = "";
        return rest;
    }

    /// <summary>Length of the longest end of the text that begins a stop string.</summary>
    private int Undecided(string text)
    {
        int longest = 0;
        foreach (string stop in stopStrings)
        {
            for (int length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (string.CompareOrdinal(text, text.Length - length, stop, 0, length) == 0) longest = length;
            }
        }

        return longest;
    }
}
