using System.Text;
using Distill.Generation;
using Distill.Tokenization;

namespace Distill.Teacher;

/// <summary>
/// Tokens of a reply → pieces of text as they come, reasoning apart from the answer. Marks are known by their ids, never by their
/// spelling. Blanks around the reasoning and before the answer that follows it belong to the marks and are left out. What has been
/// given is never taken back, so the pieces joined are the whole. One per reply; not thread-safe.
/// </summary>
internal sealed class ReplyText
{
    private readonly Tokenizer tokenizer;
    private readonly IReadOnlyList<string> stopStrings;
    private readonly IncrementalDecoder decoder;
    private readonly Action<ReplyPiece> given;
    private readonly StringBuilder reasoning = new(), answer = new();
    private readonly int open, close;
    private StopStringMatcher matcher;
    private bool thinking, begun, trims;
    private string blanks = ""; // at the end of the reasoning so far

    /// <param name="prompt">Templates may open the thinking themselves.</param>
    /// <param name="given">Gets every piece, in order.</param>
    /// <param name="stopStrings">The reply ends before the first of them; none may be empty.</param>
    public ReplyText(Tokenizer tokenizer, ReadOnlySpan<int> prompt, Action<ReplyPiece> given, IReadOnlyList<string>? stopStrings = null)
    {
        this.tokenizer = tokenizer;
        this.given = given;
        this.stopStrings = stopStrings ?? [];
        matcher = new StopStringMatcher(this.stopStrings);
        decoder = new IncrementalDecoder(tokenizer, skipSpecial: true);
        (open, close) = (MarkOf(ThinkMarks.Open), MarkOf(ThinkMarks.Close));
        trims = thinking = open >= 0 && prompt.LastIndexOf(open) > prompt.LastIndexOf(close);
    }

    /// <summary>What has been given so far.</summary>
    public string Reasoning => reasoning.ToString();

    /// <inheritdoc cref="Reasoning"/>
    public string Answer => answer.ToString();

    /// <param name="token">Not the token that ended the reply.</param>
    public void Push(int token)
    {
        if (token == open || token == close) Switch(toThinking: token == open);
        else Match(decoder.Push(token));
    }

    /// <summary>The reply is over: what was held back for an unfinished character or stop string is given.</summary>
    public void End()
    {
        Match(decoder.Flush());
        Give(matcher.Flush());
    }

    private void Switch(bool toThinking)
    {
        End();
        if (matcher.Matched is null) matcher = new StopStringMatcher(stopStrings);
        (thinking, trims, begun, blanks) = (toThinking, true, false, "");
    }

    private void Match(string text) => Give(matcher.Push(text));

    private void Give(string text)
    {
        if (trims && !begun) text = text.TrimStart();
        if (text.Length == 0) return;
        begun = true;
        if (thinking)
        {
            text = blanks + text;
            int end = text.AsSpan().TrimEnd().Length;
            (text, blanks) = (text[..end], text[end..]);
            if (text.Length == 0) return;
        }

        (thinking ? reasoning : answer).Append(text);
        given(new ReplyPiece(thinking, text));
    }

    private int MarkOf(string mark) => tokenizer.IdOf(mark) is { } id && tokenizer.IsAdded(id) ? id : -1;
}

/// <summary>Some characters of a reply as they come.</summary>
/// <param name="IsReasoning">Between the thinking marks; the marks themselves are not given.</param>
internal readonly record struct ReplyPiece(bool IsReasoning, string Text);
