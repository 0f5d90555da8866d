namespace Distill.Generation.Constraints;

/// <summary>A regular expression, read.</summary>
internal abstract record PatternSyntax
{
    /// <param name="Ranges">Code points, inclusive, sorted and disjoint.</param>
    public sealed record Characters(IReadOnlyList<(int Low, int High)> Ranges) : PatternSyntax;

    public sealed record Sequence(IReadOnlyList<PatternSyntax> Parts) : PatternSyntax;

    public sealed record Choice(IReadOnlyList<PatternSyntax> Alternatives) : PatternSyntax;

    /// <param name="Most">Null: without end.</param>
    public sealed record Repeat(PatternSyntax Part, int Least, int? Most) : PatternSyntax;

    public sealed record Begin : PatternSyntax;

    public sealed record End : PatternSyntax;
}

/// <summary>Sets of code points, sorted and disjoint ranges. Surrogates are none of them.</summary>
internal static class CodePoints
{
    public static IReadOnlyList<(int Low, int High)> All { get; } = [(0, 0xD7FF), (0xE000, 0x10FFFF)];

    public static IReadOnlyList<(int Low, int High)> Digits { get; } = [('0', '9')];

    public static IReadOnlyList<(int Low, int High)> WordCharacters { get; } = [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

    /// <summary>White space and line ends of ECMA-262, section 12.2.</summary>
    public static IReadOnlyList<(int Low, int High)> Blanks { get; } = Union(
        [(9, 13), (' ', ' '), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F),
            (0x3000, 0x3000), (0xFEFF, 0xFEFF)]);

    /// <summary>Those of ASCII.</summary>
    public static IReadOnlyList<(int Low, int High)> PlainBlanks { get; } = [(9, 13), (' ', ' ')];

    /// <summary>All but the ends of lines.</summary>
    public static IReadOnlyList<(int Low, int High)> Any { get; } = Complement([('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)]);

    public static IReadOnlyList<(int Low, int High)> Union(IEnumerable<(int Low, int High)> ranges)
    {
        var union = new List<(int Low, int High)>();
        foreach (var range in ranges.Order())
        {
            if (union.Count > 0 && range.Low <= union[^1].High + 1) union[^1] = (union[^1].Low, Math.Max(union[^1].High, range.High));
            else union.Add(range);
        }

        return union;
    }

    public static IReadOnlyList<(int Low, int High)> Complement(IEnumerable<(int Low, int High)> ranges)
    {
        var complement = new List<(int Low, int High)>();
        int from = 0;
        foreach (var (low, high) in Union(ranges.Append((0xD800, 0xDFFF))))
        {
            if (low > from) complement.Add((from, low - 1));
            from = high + 1;
        }

        if (from <= 0x10FFFF) complement.Add((from, 0x10FFFF));
        return complement;
    }
}
