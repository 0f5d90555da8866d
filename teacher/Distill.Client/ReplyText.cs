using System.Text;
using Distill.Generation;
using Distill.Tokenization;

namespace Distill.Client;

/// <summary>
/// Tokens of a reply → pieces of text as they come, reasoning apart from the answer. Marks are known by their ids, never by their
/// spelling. Blanks around the reasoning and before the answer that follows it belong to the marks and are left out. What has been
/// given is never taken back, so the pieces joined are the whole. One per reply; not thread-safe.
/// </summary>
internal sealed class ReplyText
{
    private readonly IReadOnlyList<string> stopStrings;
    private readonly bool stopsInReasoning;
    private readonly IReadOnlyList<int> marks;
    private readonly Tokenizer tokenizer;
    private readonly IncrementalDecoder decoder;
    private readonly ReasoningSpan span;
    private readonly Action<ReplyPiece> given;
    private readonly StringBuilder reasoning = new(), answer = new();
    private StopStringMatcher matcher;
    private bool thinking, begun, trims;
    private string blanks = ""; // at the end of the reasoning so far

    /// <param name="prompt">Templates may open the thinking themselves.</param>
    /// <param name="given">Gets every piece, in order.</param>
    /// <param name="stopStrings">The reply ends before the first of them; none may be empty.</param>
    /// <param name="stopsInReasoning">As <see cref="TextOutput.StopsInReasoning"/> of the request.</param>
    /// <param name="marks">Tokens of the answer that are pieces of their own (<see cref="ReplyPiece.IsMark"/>).</param>
    public ReplyText(
        Tokenizer tokenizer, ReadOnlySpan<int> prompt, Action<ReplyPiece> given, IReadOnlyList<string>? stopStrings = null,
        bool stopsInReasoning = true, IReadOnlyList<int>? marks = null)
    {
        (this.tokenizer, this.marks) = (tokenizer, marks ?? []);
        this.given = given;
        (this.stopStrings, this.stopsInReasoning) = (stopStrings ?? [], stopsInReasoning);
        decoder = new IncrementalDecoder(tokenizer, skipSpecial: true);
        span = new ReasoningSpan(tokenizer, prompt);
        trims = thinking = span.IsOpen;
        matcher = NewMatcher();
    }

    /// <summary>What has been given so far.</summary>
    public string Reasoning => reasoning.ToString();

    /// <inheritdoc cref="Reasoning"/>
    public string Answer => answer.ToString();

    /// <summary>Tokens of the reasoning so far, its marks included.</summary>
    public int ReasoningTokens { get; private set; }

    /// <param name="token">Not the token that ended the reply.</param>
    public void Push(int token)
    {
        bool isMark = span.Push(token);
        if (isMark || thinking) ReasoningTokens++;
        if (isMark) Switch(toThinking: span.IsOpen);
        else if (!thinking && marks.Contains(token)) Mark(token);
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
        (thinking, trims, begun, blanks) = (toThinking, true, false, "");
        if (matcher.Matched is null) matcher = NewMatcher();
    }

    private void Mark(int token)
    {
        End();
        if (matcher.Matched is not null) return;
        string text = tokenizer.PieceOf(token);
        begun = true;
        answer.Append(text);
        given(new ReplyPiece(false, text, IsMark: true));
    }

    private StopStringMatcher NewMatcher() => new(thinking && !stopsInReasoning ? [] : stopStrings);

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
}

/// <summary>Some characters of a reply as they come.</summary>
/// <param name="IsReasoning">Between the thinking marks; the marks themselves are not given.</param>
/// <param name="IsMark">One of the tokens that the reader asked to be told of, by its id and not by its spelling.</param>
internal readonly record struct ReplyPiece(bool IsReasoning, string Text, bool IsMark = false);
