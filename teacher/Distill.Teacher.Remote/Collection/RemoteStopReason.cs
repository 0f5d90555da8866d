namespace Distill.Teacher.Remote.Collection;

/// <summary>How traces spell an endpoint's finish reason: its own word where that is a plain one.</summary>
internal static class RemoteStopReason
{
    private const int LongestWord = 32;

    public static string WordOf(string reason) =>
        reason.Length is > 0 and <= LongestWord && reason.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? reason.ToLowerInvariant() : "other";

    /// <summary>Whether the text ends where the model ended it. Half a number is not a number.</summary>
    public static bool IsWhole(string word) => word is not ("length" or "content_filter");
}
