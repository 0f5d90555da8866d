using System.Numerics;
using Distill.Templates.Values;

namespace Distill.Templates.Runtime;

/// <summary>Python counts and slices text by code points, .NET by UTF-16 units; lone surrogates count as one.</summary>
internal static class CodePoints
{
    public static int Count(string text)
    {
        int count = text.Length;
        for (int i = 0; i + 1 < text.Length; i++)
            if (char.IsSurrogatePair(text[i], text[i + 1])) count--;
        return count;
    }

    public static IEnumerable<Text> Of(Text text)
    {
        for (int at = 0; at < text.Value.Length;)
        {
            int end = Next(text.Value, at);
            yield return text.Slice(at, end);
            at = end;
        }
    }

    /// <summary>Where each code point starts, and the end of the text.</summary>
    public static int[] Starts(string text)
    {
        var starts = new List<int>(text.Length + 1);
        for (int at = 0; at < text.Length; at = Next(text, at)) starts.Add(at);
        starts.Add(text.Length);
        return [.. starts];
    }

    /// <summary>The character of a code point.</summary>
    /// <exception cref="TemplateException">There is none.</exception>
    public static Text Character(BigInteger code)
    {
        if (code < 0 || code > 0x10FFFF) throw TemplateException.Type("a character's number is 0 to 0x10ffff");
        return Text.Own(code > 0xFFFF ? char.ConvertFromUtf32((int)code) : ((char)(int)code).ToString());
    }

    /// <summary>By code point, which differs from the order of UTF-16 units beyond the surrogates.</summary>
    public static int Compare(string a, string b)
    {
        int same = a.AsSpan().CommonPrefixLength(b);
        if (same == a.Length || same == b.Length) return a.Length.CompareTo(b.Length);
        bool aHigh = char.IsSurrogate(a[same]), bHigh = char.IsSurrogate(b[same]);
        return aHigh == bHigh ? a[same].CompareTo(b[same]) : aHigh.CompareTo(bHigh);
    }

    private static int Next(string text, int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? at + 2 : at + 1;
}

/// <summary>White space as Python's <c>str.isspace</c> has it: Unicode's, and the separators U+001C to U+001F.</summary>
internal static class PythonSpace
{
    public static string Characters { get; } =
        new([.. Enumerable.Range(0, 0x3001).Select(c => (char)c).Where(IsSpace)]);

    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';

    /// <summary>Nothing but white space, and some of it.</summary>
    public static bool IsBlank(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
            if (!IsSpace(c)) return false;
        return !text.IsEmpty;
    }
}
