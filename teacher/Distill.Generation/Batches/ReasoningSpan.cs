using Distill.Tokenization;

namespace Distill.Generation;

/// <summary>
/// Whether a sequence stands between the marks of thinking, token by token. The marks are known by their ids, never by their spelling; a
/// tokenizer without them never thinks. One sequence; not thread-safe.
/// </summary>
internal sealed class ReasoningSpan
{
    private readonly int open, close;

    /// <param name="prompt">Templates may open the thinking themselves.</param>
    public ReasoningSpan(Tokenizer tokenizer, ReadOnlySpan<int> prompt)
    {
        (open, close) = (ThinkMarks.IdIn(tokenizer, ThinkMarks.Open), ThinkMarks.IdIn(tokenizer, ThinkMarks.Close));
        IsOpen = open >= 0 && prompt.LastIndexOf(open) > prompt.LastIndexOf(close);
    }

    /// <summary>Whether what comes next is reasoning.</summary>
    public bool IsOpen { get; private set; }

    /// <returns>Whether the token is one of the marks.</returns>
    public bool Push(int token)
    {
        if (token != open && token != close) return false;
        IsOpen = token == open;
        return true;
    }
}
