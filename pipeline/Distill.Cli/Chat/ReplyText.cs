using System.Text;
using Distill.Tokenization;

namespace Distill.Cli.Chat;

/// <summary>Tokens of a reply → pieces of text, reasoning apart from the answer. Marks are known by their ids, never by their spelling.</summary>
internal sealed class ReplyText
{
    private readonly Tokenizer tokenizer;
    private readonly IncrementalDecoder decoder;
    private readonly Action<ChatPiece> given;
    private readonly StringBuilder reasoning = new(), answer = new();
    private readonly int open, close;
    private bool thinking;

    /// <param name="prompt">Templates may open the thinking themselves.</param>
    /// <param name="given">Gets every piece, in order.</param>
    public ReplyText(Tokenizer tokenizer, ReadOnlySpan<int> prompt, Action<ChatPiece> given)
    {
        this.tokenizer = tokenizer;
        this.given = given;
        decoder = new IncrementalDecoder(tokenizer, skipSpecial: true);
        (open, close) = (MarkOf(ThinkMarks.Open), MarkOf(ThinkMarks.Close));
        thinking = open >= 0 && prompt.LastIndexOf(open) > prompt.LastIndexOf(close);
    }

    public string Reasoning => reasoning.ToString().Trim();

    public string Answer => answer.ToString().Trim();

    public void Push(int token)
    {
        if (token == open || token == close)
        {
            Flush();
            thinking = token == open;
        }
        else Give(decoder.Push(token));
    }

    public void Flush() => Give(decoder.Flush());

    private void Give(string text)
    {
        if (text.Length == 0) return;
        (thinking ? reasoning : answer).Append(text);
        given(new ChatPiece(thinking, text));
    }

    private int MarkOf(string mark) => tokenizer.IdOf(mark) is { } id && tokenizer.IsAdded(id) ? id : -1;
}
