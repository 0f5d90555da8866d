using System.Globalization;
using System.Text.RegularExpressions;

namespace Distill.Verification.Named;

/// <summary>
/// How long a regular expression is with its counted repetitions written out: <c>(ab{3}){2}</c> is about as long as ten characters.
/// Rather too much than too little: names, options and escapes count as characters.
/// </summary>
internal static partial class PatternSize
{
    private const char Escape = '\\';

    [GeneratedRegex(@"\G\{(?<least>[0-9]+)(?:,(?<most>[0-9]*))?\}", RegexOptions.CultureInvariant)]
    private static partial Regex Repetition { get; }

    /// <param name="pattern">One that is known to be a regular expression.</param>
    /// <returns>Infinite where the numbers say so.</returns>
    public static double Of(string pattern)
    {
        // A comment may hold brackets that are none: then every repetition is taken to be of all that is before it.
        bool hasComments = pattern.Contains('#', StringComparison.Ordinal);
        var outer = new Stack<(double Whole, double Last)>();
        double whole = 0, last = 0;
        for (int at = 0; at < pattern.Length;)
        {
            if (Repetition.Match(pattern, at) is { Success: true } repetition)
            {
                double times = Times(repetition);
                (whole, last) = hasComments ? (whole * times, whole * times) : (whole + (last * (times - 1)), last * times);
                at += repetition.Length;
            }
            else if (!hasComments && pattern[at] == '(')
            {
                outer.Push((whole, last));
                (whole, last) = (0, 0);
                at++;
            }
            else if (!hasComments && pattern[at] == ')' && outer.TryPop(out var before))
            {
                (whole, last) = (before.Whole + whole + 1, whole + 1);
                at++;
            }
            else
            {
                int length = hasComments ? 1 : LengthAt(pattern, at);
                whole += length;
                // Blanks may mean nothing, so that a repetition after them is of what is before them.
                last = char.IsWhiteSpace(pattern[at]) ? Math.Max(last, 1) : length;
                at += length;
            }
        }

        while (outer.TryPop(out var open)) whole += open.Whole;
        return whole;
    }

    private static double Times(Match repetition)
    {
        double least = Number(repetition.Groups["least"]), most = Number(repetition.Groups["most"]);
        return Math.Max(Math.Max(least, most), 1);
    }

    private static double Number(Group digits) =>
        digits.Length == 0 ? 0 : double.Parse(digits.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>One character, an escape, or a class in its brackets.</summary>
    private static int LengthAt(string pattern, int at)
    {
        if (pattern[at] == Escape) return EscapeAt(pattern, at);
        if (pattern[at] != '[') return 1;
        int end = ClassStart(pattern, at);
        for (int depth = 1; end < pattern.Length && depth > 0;)
        {
            if (pattern[end] == Escape)
            {
                end += EscapeAt(pattern, end);
            }
            else if (pattern[end] == '[' && pattern[end - 1] == '-')
            {
                end = ClassStart(pattern, end);
                depth++;
            }
            else
            {
                if (pattern[end] == ']') depth--;
                end++;
            }
        }

        return Math.Min(end, pattern.Length) - at;
    }

    // A closing bracket that comes first is a character of the class.
    private static int ClassStart(string pattern, int at)
    {
        int start = at + 1;
        if (start < pattern.Length && pattern[start] == '^') start++;
        return start < pattern.Length && pattern[start] == ']' ? start + 1 : start;
    }

    // "\c[" is a control character.
    private static int EscapeAt(string pattern, int at)
    {
        int length = at + 1 < pattern.Length && pattern[at + 1] == 'c' ? 3 : 2;
        return Math.Min(length, pattern.Length - at);
    }
}
