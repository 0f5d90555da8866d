using Distill.Verification;

namespace Distill.Data.Sources.Formats;

/// <summary>Where a written solution says its answer.</summary>
internal static class MarkedAnswer
{
    public const string HashMark = "####";

    /// <summary>
    /// What stands in the last balanced <c>\boxed{}</c>, or where there is none <c>\fbox{}</c>; null where there is neither.
    /// </summary>
    public static string? Boxed(string text) => (AnswerBox.LastIn(text)
        ?? AnswerBox.LastIn(text.Replace(@"\fbox", AnswerBox.Command, StringComparison.Ordinal)))?.Trim();

    /// <summary>The rest of the line after the last <c>####</c>; null where there is none.</summary>
    public static string? AfterHashes(string text)
    {
        int at = text.LastIndexOf(HashMark, StringComparison.Ordinal);
        if (at < 0) return null;
        string rest = text[(at + HashMark.Length)..].Trim();
        int end = rest.IndexOf('\n', StringComparison.Ordinal);
        return end < 0 ? rest : rest[..end].Trim();
    }

    /// <summary>By whichever mark there is, as models' answers are read; a short text of one line is an answer by itself.</summary>
    public static string? Of(string text) => AnswerExtraction.Strict(text)
        ?? (text.Trim() is { Length: > 0 and <= 120 } whole && !whole.Contains('\n', StringComparison.Ordinal) ? whole : null);
}
