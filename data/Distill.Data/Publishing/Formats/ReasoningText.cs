namespace Distill.Data.Publishing.Formats;

/// <summary>
/// Reasoning and answer as one text, as data sets of reasoning models spell them: the thought between its marks, a blank line, the answer.
/// </summary>
internal static class ReasoningText
{
    private const string Open = "<think>", Close = "</think>";

    /// <param name="answer">Null where the completion never got there: the thought then stays open.</param>
    public static string Join(string reasoning, string? answer) => (reasoning.Length, answer) switch
    {
        (_, null) => $"{Open}\n{reasoning}",
        (0, _) => answer,
        _ => $"{Open}\n{reasoning}\n{Close}\n\n{answer}",
    };

    /// <summary>
    /// The answer is what follows the last closing mark; a thought that was opened and never closed has none; a text without marks is all
    /// answer. The opening mark may be missing, for some templates put it into the prompt.
    /// </summary>
    public static (string Reasoning, string? Answer) Split(string text)
    {
        int end = text.LastIndexOf(Close, StringComparison.Ordinal);
        if (end >= 0) return (WithoutOpen(text[..end]), NonEmpty(text[(end + Close.Length)..]));
        return text.TrimStart().StartsWith(Open, StringComparison.Ordinal) ? (WithoutOpen(text), null) : ("", NonEmpty(text));
    }

    /// <summary>The same for other marks, e.g. those of OpenThoughts; a text without them is read by <see cref="Split(string)"/>.</summary>
    public static (string Reasoning, string? Answer) Split(
        string text, (string Open, string Close) thought, (string Open, string Close) answer)
    {
        if (!text.Contains(thought.Open, StringComparison.Ordinal)) return Split(text);
        int start = text.IndexOf(thought.Open, StringComparison.Ordinal) + thought.Open.Length;
        int end = text.LastIndexOf(thought.Close, StringComparison.Ordinal);
        if (end < start) return (text[start..].Trim(), null);
        string rest = text[(end + thought.Close.Length)..].Trim();
        if (rest.StartsWith(answer.Open, StringComparison.Ordinal)) rest = rest[answer.Open.Length..];
        if (rest.EndsWith(answer.Close, StringComparison.Ordinal)) rest = rest[..^answer.Close.Length];
        return (text[start..end].Trim(), NonEmpty(rest));
    }

    private static string WithoutOpen(string text)
    {
        text = text.Trim();
        return text.StartsWith(Open, StringComparison.Ordinal) ? text[Open.Length..].Trim() : text;
    }

    private static string? NonEmpty(string text) => text.AsSpan().Trim() is { Length: > 0 } some ? some.ToString() : null;
}
