using System.Text;

namespace Distill.Verification.Named;

/// <summary>What a verifier is to judge: the marked answer of a text, or the whole text where it marks none.</summary>
internal static class AnswerText
{
    /// <summary>Longer answers are none that a verifier here could accept.</summary>
    public const int MaxLength = 10_000;

    /// <returns>Null when there is no answer: nothing was written, a thought or a box is still open, or it is far too long.</returns>
    public static string? Of(string? text)
    {
        if (text is null) return null;
        string? marked = AnswerExtraction.Strict(text);
        return marked is null ? Whole(text) : marked.Length > MaxLength ? null : marked;
    }

    /// <summary>The whole text after the thought, cleaned, for answers that are nothing but the answer.</summary>
    public static string? Whole(string text)
    {
        if (AnswerExtraction.Body(text) is not { } body || body.Contains(AnswerBox.Command, StringComparison.Ordinal)) return null;
        var trimmed = body.AsSpan().Trim();
        return trimmed.Length > MaxLength ? null : AnswerCleaning.Of(trimmed.ToString());
    }

    /// <summary>Case, kinds and numbers of blanks, and commands such as <c>\text{…}</c> do not matter.</summary>
    public static string Folded(string text)
    {
        string plain = text.Contains('\\', StringComparison.Ordinal) ? LatexText.Plain(text) : text;
        var result = new StringBuilder(plain.Length);
        foreach (char letter in plain)
        {
            if (!char.IsWhiteSpace(letter)) result.Append(char.ToLowerInvariant(letter));
            else if (result.Length > 0 && result[^1] != ' ') result.Append(' ');
        }

        return result.ToString().TrimEnd();
    }
}

/// <summary>Words inside LaTeX.</summary>
internal static class LatexText
{
    private static readonly HashSet<string> Wrapping = new(StringComparer.Ordinal)
    {
        "text", "textbf", "textit", "textrm", "texttt", "textsf", "textsc", "textnormal", "mathrm", "mathbf", "mathit", "mathsf",
        "mathtt", "operatorname", "mbox", "hbox", "emph", "underline", "bf", "rm", "it",
    };

    public static bool IsWrapping(string command) => Wrapping.Contains(command);

    /// <summary>The text without commands that set words, their braces, and commands for blanks.</summary>
    public static string Plain(string text)
    {
        var result = new StringBuilder(text.Length);
        var isWrapper = new Stack<bool>();
        bool wraps = false;
        for (int i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\\':
                    int end = CommandEnd(text, i + 1);
                    string command = text[(i + 1)..end];
                    wraps = IsWrapping(command);
                    if (command is "," or ";" or ":" or "!" or " " or "quad" or "qquad") result.Append(' ');
                    else if (!wraps) result.Append(text, i, end - i);
                    i = end - 1;
                    continue;
                case '{':
                    isWrapper.Push(wraps);
                    if (!wraps) result.Append('{');
                    break;
                case '}':
                    if (!isWrapper.TryPop(out bool wrapper) || !wrapper) result.Append('}');
                    break;
                default:
                    result.Append(text[i] == '~' ? ' ' : text[i]);
                    break;
            }

            if (!char.IsWhiteSpace(text[i])) wraps = false;
        }

        return result.ToString();
    }

    /// <returns>Where the command whose name starts at <paramref name="start"/> ends: after its letters, or after one other sign.</returns>
    public static int CommandEnd(string text, int start)
    {
        int end = start;
        while (end < text.Length && char.IsAsciiLetter(text[end])) end++;
        return end > start ? end : Math.Min(start + 1, text.Length);
    }
}
