using System.Text;
using Distill.Tokenization;

namespace Distill.Generation;

/// <summary>The text of one completion: decoded token by token, never inside a character, ended by the first stop string.</summary>
internal sealed class RowText(TextOutput output)
{
    private readonly IncrementalDecoder decoder = new(output.Tokenizer, output.SkipSpecial);
    private readonly StopStringMatcher matcher = new(output.StopStrings);
    private readonly StringBuilder whole = new();

    public string? Matched => matcher.Matched;

    public string Whole => whole.ToString();

    /// <returns>What may be shown now.</returns>
    public string Push(int token) => Keep(matcher.Push(decoder.Push(token)));

    /// <returns>What was held back for an unfinished character or stop string. The rest of a character may still complete one.</returns>
    public string End()
    {
        string last = matcher.Push(decoder.Flush());
        return Keep(last + matcher.Flush());
    }

    private string Keep(string text)
    {
        whole.Append(text);
        return text;
    }
}
