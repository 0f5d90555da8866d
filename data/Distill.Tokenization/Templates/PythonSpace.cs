namespace Distill.Tokenization.Templates;

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
