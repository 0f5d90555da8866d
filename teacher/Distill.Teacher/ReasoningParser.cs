using Distill.Generation;
using Distill.Tokenization;

namespace Distill.Teacher;

/// <summary>
/// Completion → reasoning and answer. Total: every sequence of tokens and every text gives a result. The answer is what follows the
/// last closing mark; a completion whose last opening mark is never closed has none; one without marks is all answer.
/// Marks are recognised by their token ids, so a model cannot be taken in by marks spelled out in plain text. Thread-safe.
/// </summary>
public sealed class ReasoningParser(Tokenizer tokenizer)
{
    private readonly int open = ThinkMarks.IdIn(tokenizer, ThinkMarks.Open);
    private readonly int close = ThinkMarks.IdIn(tokenizer, ThinkMarks.Close);

    /// <summary>
    /// The token that ended a completion is no part of what it says, whether or not its tokenizer calls it special. A completion cut off by
    /// its limit has no answer: half a number is not a number (see <see cref="ParsedCompletion.CutOff"/>).
    /// </summary>
    public ParsedCompletion Parse(Completion completion)
    {
        int[] tokens = [.. completion.Tokens];
        ParsedCompletion parsed = Parse(completion.StopReason == StopReason.StopToken ? tokens.AsSpan(0, tokens.Length - 1) : tokens);
        return completion.StopReason == StopReason.Length ? parsed.CutOff() : parsed;
    }

    /// <param name="tokens">New tokens of a completion; control tokens among them leave no text.</param>
    public ParsedCompletion Parse(ReadOnlySpan<int> tokens)
    {
        int end = close < 0 ? -1 : tokens.LastIndexOf(close);
        int begin = open < 0 ? -1 : tokens.LastIndexOf(open);
        if (begin > end) return new ParsedCompletion(TextOf(tokens), null);
        return end >= 0
            ? new ParsedCompletion(TextOf(tokens[..end]), AnswerOf(TextOf(tokens[(end + 1)..])))
            : new ParsedCompletion("", AnswerOf(TextOf(tokens)));
    }

    /// <summary>
    /// The same for text, as remote teachers give it: here the marks can only be known by their spelling. Those that open the thought and
    /// end it go; what a model spells in the middle of its thought is a part of it and stays.
    /// </summary>
    public static ParsedCompletion ParseText(string text)
    {
        int end = text.LastIndexOf(ThinkMarks.Close, StringComparison.Ordinal);
        if (text.LastIndexOf(ThinkMarks.Open, StringComparison.Ordinal) > end) return new ParsedCompletion(ThoughtOf(text), null);
        return end >= 0
            ? new ParsedCompletion(ThoughtOf(text[..end]), AnswerOf(text[(end + ThinkMarks.Close.Length)..].Trim()))
            : new ParsedCompletion("", AnswerOf(text.Trim()));
    }

    private static string? AnswerOf(string text) => text.Length == 0 ? null : text;

    // The mark stands at the beginning, or begins a line where a model says something first; templates often write it themselves.
    private static string ThoughtOf(string text)
    {
        int mark = text.IndexOf(ThinkMarks.Open, StringComparison.Ordinal);
        bool opens = mark >= 0 && (text.AsSpan(0, mark).TrimEnd(" \t").EndsWith("\n") || text.AsSpan(0, mark).Trim().IsEmpty);
        return (opens ? text.Remove(mark, ThinkMarks.Open.Length) : text).Trim();
    }

    private string TextOf(ReadOnlySpan<int> tokens)
    {
        int[] words = new int[tokens.Length];
        int count = 0;
        foreach (int token in tokens)
        {
            if (token != open && token != close) words[count++] = token;
        }

        return tokenizer.Decode(words.AsSpan(0, count), skipSpecial: true).Trim();
    }
}

/// <summary>A completion taken apart.</summary>
/// <param name="Reasoning">The text between the thinking marks, trimmed; empty when there is none.</param>
/// <param name="Answer">The text after the thinking, trimmed; null when there is none or it was cut off.</param>
public sealed record ParsedCompletion(string Reasoning, string? Answer)
{
    /// <summary>
    /// The same of a completion that its limit cut off: no answer. What has no mark may be a thought that the template opened, so the text,
    /// which was paid for, is kept as reasoning.
    /// </summary>
    internal ParsedCompletion CutOff() => this with { Reasoning = Reasoning.Length > 0 ? Reasoning : Answer ?? "", Answer = null };
}
