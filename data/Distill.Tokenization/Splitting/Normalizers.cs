using System.Globalization;
using System.Text;

namespace Distill.Tokenization.Splitting;

/// <summary>Changes text before it is cut into words. Immutable and thread-safe.</summary>
internal interface INormalizer
{
    string Normalize(string text);
}

/// <summary>Normalisers one after the other.</summary>
internal sealed class SequenceNormalizer(IReadOnlyList<INormalizer> steps) : INormalizer
{
    public string Normalize(string text) => steps.Aggregate(text, (current, step) => step.Normalize(current));
}

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

/// <summary>Normalisers that look at one character at a time, or at the ends of the text.</summary>
internal sealed class CharacterNormalizer : INormalizer
{
    private readonly Func<string, string> _change;

    private CharacterNormalizer(Func<string, string> change) => _change = change;

    /// <summary>Lower case by character; a final sigma stays a plain one, as in the reference.</summary>
    public static CharacterNormalizer Lowercase { get; } = new(text => string.Concat(text.EnumerateRunes().Select(Lower)));

    /// <summary>Removes all combining marks; to be used on decomposed text.</summary>
    public static CharacterNormalizer StripAccents { get; } =
        new(text => string.Concat(text.EnumerateRunes().Where(r => !IsMark(r)).Select(r => r.ToString())));

    /// <summary>Writes the UTF-8 bytes in the byte alphabet.</summary>
    public static CharacterNormalizer ByteLevel { get; } = new(text => ByteLevelPreTokenizer.Map(text));

    public static CharacterNormalizer Strip(bool left, bool right) =>
        new(text => left ? right ? text.Trim() : text.TrimStart() : right ? text.TrimEnd() : text);

    /// <summary>Puts a text in front, unless there is nothing to put it in front of.</summary>
    public static CharacterNormalizer Prepend(string prefix) => new(text => text.Length == 0 ? text : prefix + text);

    public string Normalize(string text) => _change(text);

    private static string Lower(Rune rune) => rune.Value == 0x130 ? "i\u0307" : Rune.ToLowerInvariant(rune).ToString();

    private static bool IsMark(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;
}
