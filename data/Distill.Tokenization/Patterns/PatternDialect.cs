namespace Distill.Tokenization.Patterns;

/// <summary>Tokenizer files write Oniguruma's dialect. What .NET would read differently, or not by code points, is refused.</summary>
internal static class PatternDialect
{
    private const int Longest = 16 << 10;
    private const int Deepest = 50;

    /// <exception cref="InvalidDataException">The pattern uses such a feature; says which.</exception>
    public static void Check(string pattern)
    {
        if (pattern.Length > Longest) throw Refused(pattern[..100], $"is longer than {Longest} characters");
        if (pattern.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')) throw Refused(pattern, "holds characters beyond U+FFFF");
        int depth = 0;
        bool inClass = false, quantified = false;
        for (int at = 0; at < pattern.Length; at++)
        {
            char c = pattern[at];
            if (c == '\\') CheckEscape(pattern, ++at);
            else if (inClass && (c == '[' || (c == '&' && pattern[at..].StartsWith("&&", StringComparison.Ordinal))))
                throw Refused(pattern, "nests or intersects character classes");
            else if (c == '[') inClass = true;
            else if (c == ']') inClass = false;
            else if (!inClass && c == '(' && ++depth > Deepest) throw Refused(pattern, $"nests groups deeper than {Deepest}");
            else if (!inClass && c == ')') depth--;
            else if (!inClass && c == '+' && quantified) throw Refused(pattern, "uses possessive quantifiers");
            quantified = !inClass && c is '+' or '*' or '?';
        }
    }

    private static void CheckEscape(string pattern, int at)
    {
        if (at >= pattern.Length) throw Refused(pattern, "ends in a backslash");
        // Oniguruma: hexadecimal digit, line break, grapheme, group call, back reference by name, …
        if (pattern[at] is 'h' or 'H' or 'R' or 'X' or 'g' or 'k' or 'K' or 'y' or 'Y' or 'O' or 'N')
            throw Refused(pattern, $"uses '\\{pattern[at]}'");
    }

    private static InvalidDataException Refused(string pattern, string reason) =>
        new($"pattern '{pattern}' {reason}, which is not supported");
}
