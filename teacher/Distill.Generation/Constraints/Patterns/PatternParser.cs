using System.Globalization;

namespace Distill.Generation.Constraints;

/// <summary>
/// Reads the part of ECMA-262's regular expressions that finite automata know: characters, classes, groups, alternatives, quantifiers, and
/// anchors. What else there is (references, assertions, boundaries, properties of characters) is refused by name.
/// </summary>
internal sealed class PatternParser(string pattern)
{
    private const int MostRepeats = 1000;
    private const int MostDepth = 50;

    private int at;
    private int depth;

    /// <exception cref="NotSupportedException">Says what is not known, and where.</exception>
    public PatternSyntax Parse()
    {
        var whole = Choice();
        return at == pattern.Length ? whole : throw Refused("')' without '('");
    }

    private PatternSyntax Choice()
    {
        if (++depth > MostDepth) throw Refused($"groups nested more than {MostDepth} deep");
        List<PatternSyntax> alternatives = [Sequence()];
        while (Take('|')) alternatives.Add(Sequence());
        depth--;
        return alternatives is [var only] ? only : new PatternSyntax.Choice(alternatives);
    }

    private PatternSyntax.Sequence Sequence()
    {
        var parts = new List<PatternSyntax>();
        while (at < pattern.Length && pattern[at] is not ('|' or ')'))
        {
            var part = Atom();
            if (TryQuantifier(out int least, out int? most))
            {
                if (part is PatternSyntax.Begin or PatternSyntax.End) throw Refused("a repeated anchor");
                part = new PatternSyntax.Repeat(part, least, most);
                Take('?'); // how a search prefers its matches changes nothing of what matches
                if (at < pattern.Length && "*+?{".Contains(pattern[at])) throw Refused("a second quantifier of the same part");
            }

            parts.Add(part);
        }

        return new PatternSyntax.Sequence(parts);
    }

    private PatternSyntax Atom()
    {
        char c = pattern[at++];
        switch (c)
        {
            case '^': return new PatternSyntax.Begin();
            case '$': return new PatternSyntax.End();
            case '.': return new PatternSyntax.Characters(CodePoints.Any);
            case '[': return new PatternSyntax.Characters(Class());
            case '(': return Group();
            case '\\': return new PatternSyntax.Characters(Escape());
            case '*' or '+' or '?': throw Refused($"'{c}' after nothing");
            default:
                at--;
                return Single(CodePoint());
        }
    }

    private PatternSyntax Group()
    {
        if (Take('?') && !Take(':')) throw Refused("a group that begins with '(?' and is not '(?:'");
        var inner = Choice();
        return Take(')') ? inner : throw Refused("'(' without ')'");
    }

    private IReadOnlyList<(int Low, int High)> Class()
    {
        bool negated = Take('^');
        var ranges = new List<(int Low, int High)>();
        while (!Take(']'))
        {
            if (at >= pattern.Length) throw Refused("'[' without ']'");
            var low = ClassPart();
            bool isRange = at + 1 < pattern.Length && pattern[at] == '-' && pattern[at + 1] != ']';
            if (!isRange)
            {
                ranges.AddRange(low);
                continue;
            }

            at++;
            var high = ClassPart();
            if (low is not [var (first, same)] || first != same || high is not [var (last, end)] || last != end || last < first)
                throw Refused("a range in '[…]' that is not from one character to a later one");
            ranges.Add((first, last));
        }

        return negated ? CodePoints.Complement(ranges) : CodePoints.Complement(CodePoints.Complement(ranges));
    }

    private IReadOnlyList<(int Low, int High)> ClassPart()
    {
        if (Take('\\')) return Take('b') ? [('\b', '\b')] : Escape();
        int point = CodePoint();
        return [(point, point)];
    }

    private IReadOnlyList<(int Low, int High)> Escape()
    {
        if (at >= pattern.Length) throw Refused("a backslash at the end");
        char c = pattern[at++];
        return c switch
        {
            'd' => CodePoints.Digits,
            'D' => CodePoints.Complement(CodePoints.Digits),
            'w' => CodePoints.WordCharacters,
            'W' => CodePoints.Complement(CodePoints.WordCharacters),
            's' => CodePoints.PlainBlanks, // engines agree on no others
            'S' => CodePoints.Complement(CodePoints.Blanks),
            'n' => [('\n', '\n')],
            'r' => [('\r', '\r')],
            't' => [('\t', '\t')],
            'f' => [('\f', '\f')],
            'v' => [('\v', '\v')],
            'x' => Hexadecimal(2),
            'u' => Hexadecimal(4),
            _ when !char.IsAsciiLetterOrDigit(c) => [(c, c)],
            _ => throw Refused($"'\\{c}'"),
        };
    }

    private IReadOnlyList<(int Low, int High)> Hexadecimal(int digits)
    {
        if (at + digits > pattern.Length
            || !int.TryParse(pattern.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int point))
            throw Refused($"an escape without its {digits} hexadecimal digits");
        if (point is >= 0xD800 and <= 0xDFFF) throw Refused("an escaped surrogate; write the character itself");
        at += digits;
        return [(point, point)];
    }

    private bool TryQuantifier(out int least, out int? most)
    {
        (least, most) = (0, null);
        if (Take('*')) return true;
        if (Take('?')) return (most = 1) is not null;
        if (Take('+')) return (least = 1) == 1;
        if (at >= pattern.Length || pattern[at] != '{') return false;
        int end = pattern.IndexOf('}', at);
        string[] bounds = end < 0 ? [] : pattern[(at + 1)..end].Split(',');
        if (bounds.Length is not (1 or 2) || !TryCount(bounds[0], out least)) throw Refused("'{' that begins no count; write '\\{'");
        if (bounds.Length == 1) most = least;
        else if (bounds[1].Length > 0) most = TryCount(bounds[1], out int count) ? count : throw Refused($"the count '{bounds[1]}'");
        if (most < least) throw Refused("a count that ends before it begins");
        at = end + 1;
        return true;
    }

    private bool TryCount(string text, out int count)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count)) return false;
        return count <= MostRepeats ? true : throw Refused($"a count of more than {MostRepeats}");
    }

    private int CodePoint()
    {
        int point = char.IsSurrogate(pattern[at]) && char.IsSurrogatePair(pattern, at) ? char.ConvertToUtf32(pattern, at) : pattern[at];
        if (point is >= 0xD800 and <= 0xDFFF) throw Refused("half of a surrogate pair");
        at += point > 0xFFFF ? 2 : 1;
        return point;
    }

    private static PatternSyntax.Characters Single(int point) => new([(point, point)]);

    private bool Take(char wanted)
    {
        if (at >= pattern.Length || pattern[at] != wanted) return false;
        at++;
        return true;
    }

    private NotSupportedException Refused(string what) => new($"{what} (at character {at})");
}
