namespace Distill.Data.Sources.Formats;

/// <summary>Where a written solution says its answer.</summary>
internal static class MarkedAnswer
{
    public const string HashMark = "####";

    private const string Box = "boxed";

    private const int Longest = 4096;

    /// <summary>What stands in the last balanced <c>\boxed{}</c> (or <c>\fbox{}</c>); null where there is none.</summary>
    public static string? Boxed(string text)
    {
        for (int at = Last(text, text.Length); at > 0; at = Last(text, at))
        {
            if (text[at - 1] is '\\' or 'f' && Braced(text, at + Box.Length) is { } found) return found.Trim();
        }

        return null;
    }

    /// <summary>The rest of the line after the last <c>####</c>; null where there is none.</summary>
    public static string? AfterHashes(string text)
    {
        int at = text.LastIndexOf(HashMark, StringComparison.Ordinal);
        if (at < 0) return null;
        string rest = text[(at + HashMark.Length)..].Trim();
        int end = rest.IndexOf('\n', StringComparison.Ordinal);
        return end < 0 ? rest : rest[..end].Trim();
    }

    /// <summary>By whichever mark there is; a short text of one line is an answer by itself.</summary>
    public static string? Of(string text)
    {
        string after = text.LastIndexOf("</think>", StringComparison.Ordinal) is var thought && thought >= 0
            ? text[(thought + "</think>".Length)..] : text;
        return AfterHashes(after) ?? Boxed(after)
            ?? (after.Trim() is { Length: > 0 and <= 120 } whole && !whole.Contains('\n', StringComparison.Ordinal) ? whole : null);
    }

    private static int Last(string text, int before) => text.AsSpan(0, before).LastIndexOf(Box);

    private static string? Braced(string text, int open)
    {
        while (open < text.Length && text[open] == ' ') open++;
        if (open >= text.Length || text[open] != '{') return null;
        int depth = 0, end = Math.Min(text.Length, open + Longest);
        for (int i = open; i < end; i++)
        {
            if (text[i] == '\\') i++; // an escaped brace is no brace
            else if (text[i] == '{') depth++;
            else if (text[i] == '}' && --depth == 0) return text[(open + 1)..i];
        }

        return null;
    }
}
