namespace Distill.Evaluation;

/// <summary>Makes answers comparable for votes: letter case, spacing and a closing period do not make another answer.</summary>
internal static class AnswerKey
{
    private const int LongestAnswer = 400;

    public static string? Of(string? answer)
    {
        if (answer is null || answer.Length > LongestAnswer) return null;
        string key = string.Join(' ', answer.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).ToUpperInvariant().TrimEnd('.').TrimEnd();
        return key.Length == 0 ? null : key;
    }
}
