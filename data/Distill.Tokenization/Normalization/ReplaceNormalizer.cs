using System.Text;
using Distill.Tokenization.Patterns;

namespace Distill.Tokenization.Normalization;

/// <summary>Writes one text for every match of a pattern.</summary>
internal sealed class ReplaceNormalizer(TextPattern pattern, string content) : INormalizer
{
    public string Normalize(string text)
    {
        var result = new StringBuilder(text.Length);
        int done = 0;
        foreach (var match in pattern.Matches(text, 0, text.Length))
        {
            result.Append(text, done, match.Start - done).Append(content);
            done = match.End;
        }
        return done == 0 && result.Length == 0 ? text : result.Append(text, done, text.Length - done).ToString();
    }
}
