namespace Distill.Tokenization;

/// <summary>UTF-16 units [Start, End) of a text.</summary>
internal readonly record struct TextRange(int Start, int End)
{
    /// <summary>What of the ranges lies within [start, end), counted from start.</summary>
    public static List<TextRange> Clip(IReadOnlyList<TextRange> ranges, int start, int end) => [.. ranges
        .Select(r => new TextRange(Math.Max(r.Start, start) - start, Math.Min(r.End, end) - start))
        .Where(r => r.Start < r.End)];

    /// <summary>The ranges and what lies between them, in order, over a text of this length.</summary>
    public static IEnumerable<(TextRange Range, bool Listed)> Both(IReadOnlyList<TextRange> ranges, int length)
    {
        int at = 0;
        foreach (var range in ranges)
        {
            if (range.Start > at) yield return (new TextRange(at, range.Start), false);
            yield return (range, true);
            at = range.End;
        }
        if (at < length) yield return (new TextRange(at, length), false);
    }
}
