using System.Text;

namespace Distill.Verification;

/// <summary>
/// Finds the final answer in what a model wrote: one set of rules for training and for evaluation. Only what follows the last closed
/// thought counts, and a thought that was never closed has no answer. Then, in this order: the last balanced <c>\boxed{…}</c>; what
/// follows the last <c>####</c>; what follows the last <c>answer is</c> or <c>answer:</c>; and, leniently, the last number.
/// Takes time proportional to the text, whatever it is. Safe for concurrent use.
/// </summary>
public static class AnswerExtraction
{
    /// <summary>Raised whenever any text could give another answer; verifiers that read through these rules raise theirs with it.</summary>
    public const int Version = 1;

    private const string ThoughtStart = "<think>";
    private const string ThoughtEnd = "</think>";
    private const string Hashes = "####";

    /// <returns>The answer that the text marks as its own, cleaned; null when it marks none.</returns>
    public static string? Strict(string text) => Body(text) is { } body ? Marked(body) : null;

    /// <returns>As <see cref="Strict"/>; where that finds nothing, the last number of the text as it is written there.</returns>
    public static string? Lenient(string text) => Body(text) is { } body ? Marked(body) ?? LastNumber.In(body) : null;

    /// <returns>What follows the last closed thought; null when a thought is still open at the end.</returns>
    internal static string? Body(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int open = text.LastIndexOf(ThoughtStart, StringComparison.Ordinal);
        int close = text.LastIndexOf(ThoughtEnd, StringComparison.Ordinal);
        if (open > close) return null;
        return close < 0 ? text : text[(close + ThoughtEnd.Length)..];
    }

    private static string? Marked(string body) => Boxed(body) ?? AfterHashes(body) ?? AfterPhrase(body);

    private static string? Boxed(string body) => AnswerBox.LastIn(body) is { } content ? AnswerCleaning.Of(content) : null;

    private static string? AfterHashes(string body)
    {
        int at = body.LastIndexOf(Hashes, StringComparison.Ordinal);
        return at < 0 ? null : AnswerCleaning.Of(Line(body, at + Hashes.Length));
    }

    private static string? AfterPhrase(string body)
    {
        if (AnswerPhrase.EndOfLast(body) is not { } start) return null;
        // "**Answer:** 42" closes its bold after the colon; "Answer: **42**" opens one after a blank.
        if (body.AsSpan(start).StartsWith("**")) start += 2;
        string answer = Sentence(Line(body, start));
        return BeginsWithBox(answer) ? null : AnswerCleaning.Of(WithoutDanglingBold(answer));
    }

    private static string Line(string text, int start)
    {
        int end = text.AsSpan(start).IndexOfAny('\n', '\r');
        return end < 0 ? text[start..] : text.Substring(start, end);
    }

    private static string Sentence(string line)
    {
        for (int i = 0; i < line.Length; i++)
        {
            if (line[i] == '.' && (i + 1 == line.Length || char.IsWhiteSpace(line[i + 1])) && !AnswerCleaning.IsDelimiterDot(line, i))
                return line[..i];
        }

        return line;
    }

    // A whole box would have been found before: this one was cut off, or is empty.
    private static bool BeginsWithBox(string answer) => answer.AsSpan().TrimStart(" \t$([\\*").StartsWith("boxed");

    private static string WithoutDanglingBold(string answer)
    {
        var text = answer.AsSpan().TrimEnd(" \t.,;");
        bool dangles = text.EndsWith("**") && text[..^2].IndexOf("**") < 0;
        return dangles ? text[..^2].ToString() : answer;
    }
}

/// <summary>Balanced <c>\boxed{…}</c>, found in one pass.</summary>
internal static class AnswerBox
{
    public const string Command = "\\boxed";

    /// <returns>What is in the last balanced box that is not empty, boxes inside of it opened; null when there is none.</returns>
    public static string? LastIn(string text)
    {
        // Open braces, and what a box's content starts with; -1 for a brace that opens no box.
        var open = new Stack<int>();
        var boxes = new Stack<(int Start, int End)>();
        for (int i = text.IndexOf(Command, StringComparison.Ordinal); i >= 0 && i < text.Length; i++)
        {
            int next = text.AsSpan(i).IndexOfAny('\\', '{', '}');
            if (next < 0) break;
            i += next;
            switch (text[i])
            {
                case '\\' when BraceOfBox(text, i) is { } brace:
                    open.Push(brace + 1);
                    i = brace;
                    break;
                case '\\':
                    i++;
                    break;
                case '{':
                    open.Push(-1);
                    break;
                case '}' when open.TryPop(out int start) && start >= 0 && !text.AsSpan(start, i - start).IsWhiteSpace():
                    while (boxes.TryPeek(out var inner) && inner.Start > start) boxes.Pop();
                    boxes.Push((start, i));
                    break;
            }
        }

        return boxes.TryPeek(out var last) ? Opened(text[last.Start..last.End]) : null;
    }

    private static int? BraceOfBox(string text, int at)
    {
        if (!text.AsSpan(at).StartsWith(Command)) return null;
        int brace = at + Command.Length;
        while (brace < text.Length && text[brace] is ' ' or '\t') brace++;
        return brace < text.Length && text[brace] == '{' ? brace : null;
    }

    /// <summary>Boxes in a balanced text are replaced by what they hold.</summary>
    private static string Opened(string content)
    {
        if (!content.Contains(Command, StringComparison.Ordinal)) return content;
        var result = new StringBuilder(content.Length);
        var isBox = new Stack<bool>();
        for (int i = 0; i < content.Length; i++)
        {
            if (content[i] == '\\' && BraceOfBox(content, i) is { } brace)
            {
                isBox.Push(true);
                i = brace;
                continue;
            }

            if (content[i] == '{') isBox.Push(false);
            if (content[i] == '}' && isBox.TryPop(out bool box) && box) continue;
            result.Append(content[i]);
            if (content[i] == '\\' && i + 1 < content.Length) result.Append(content[++i]);
        }

        return result.ToString();
    }
}

/// <summary>Takes off what surrounds an answer and is not part of it: blanks, closing punctuation, bold, dollars, backticks.</summary>
internal static class AnswerCleaning
{
    private static readonly (string Open, string Close)[] Wrappers =
        [("**", "**"), ("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("```", "```"), ("`", "`")];

    /// <returns>Null when nothing is left.</returns>
    public static string? Of(string text)
    {
        var rest = text.AsSpan();
        int before;
        do
        {
            before = rest.Length;
            rest = WithoutEnd(rest.Trim());
            foreach (var (open, close) in Wrappers) rest = Unwrapped(rest, open, close);
        }
        while (rest.Length < before);
        return rest.IsEmpty ? null : rest.ToString();
    }

    /// <summary>Whether the dot belongs to <c>\left.</c> or <c>\right.</c>, which need one.</summary>
    public static bool IsDelimiterDot(ReadOnlySpan<char> text, int dot) =>
        text[..dot].EndsWith("\\right") || text[..dot].EndsWith("\\left");

    private static ReadOnlySpan<char> WithoutEnd(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty && text[^1] is '.' or ',' or ';' && !IsCommandEnd(text)) text = text[..^1].TrimEnd();
        return text;
    }

    // "\," and "\;" are blanks of LaTeX.
    private static bool IsCommandEnd(ReadOnlySpan<char> text) =>
        text[^1] == '.' ? IsDelimiterDot(text, text.Length - 1) : text.Length > 1 && text[^2] == '\\';

    // What is inside may not hold the mark again, or the first and the last of "**a** or **b**" would be taken for a pair.
    private static ReadOnlySpan<char> Unwrapped(ReadOnlySpan<char> text, string open, string close)
    {
        if (text.Length < open.Length + close.Length || !text.StartsWith(open) || !text.EndsWith(close)) return text;
        var inside = text[open.Length..^close.Length];
        return inside.IndexOf(open) >= 0 || inside.IndexOf(close) >= 0 ? text : inside;
    }
}

/// <summary><c>answer is</c>, <c>answer is:</c> and <c>answer:</c>.</summary>
internal static class AnswerPhrase
{
    private const string Answer = "answer";
    private const int RareLetter = 3;

    /// <returns>Where the last phrase ends; null when there is none.</returns>
    public static int? EndOfLast(ReadOnlySpan<char> text)
    {
        // Looking for its rarest letter is many times faster than looking for the word in either case.
        for (int at = text.LastIndexOfAny('w', 'W'); at >= 0; at = text[..at].LastIndexOfAny('w', 'W'))
        {
            if (at < RareLetter || !StartsWith(text[(at - RareLetter)..], Answer)) continue;
            int end = at - RareLetter + Answer.Length;
            if (end < text.Length && text[end] == ':') return end + 1;
            if (!StartsWith(text[end..], " is")) continue;
            end += " is".Length;
            return end < text.Length && text[end] == ':' ? end + 1 : end;
        }

        return null;
    }

    private static bool StartsWith(ReadOnlySpan<char> text, string start) => text.StartsWith(start, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Numbers as prose writes them: <c>-?\d+(,\d{3})*(\.\d+)?(/\d+)?%?</c>.</summary>
internal static class LastNumber
{
    /// <returns>Null when the text holds none.</returns>
    public static string? In(string text)
    {
        Range? last = null;
        for (int i = 0; i < text.Length; i++)
        {
            int digits = text[i] == '-' ? i + 1 : i;
            if (digits == text.Length || !char.IsAsciiDigit(text[digits])) continue;
            int end = End(text, digits);
            last = i..end;
            i = end - 1;
        }

        return last is { } range ? text[range] : null;
    }

    private static int End(string text, int start)
    {
        int end = Digits(text, start);
        while (end < text.Length && text[end] == ',' && Digits(text, end + 1) >= end + 4) end += 4;
        end = Part(text, end, '.');
        end = Part(text, end, '/');
        return end < text.Length && text[end] == '%' ? end + 1 : end;
    }

    private static int Part(string text, int at, char mark) =>
        at + 1 < text.Length && text[at] == mark && char.IsAsciiDigit(text[at + 1]) ? Digits(text, at + 1) : at;

    private static int Digits(string text, int at)
    {
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        return at;
    }
}
