using System.Globalization;
using System.Numerics;
using Distill.Verification.Mathematics.Numbers;

namespace Distill.Verification.Mathematics.Reading;

/// <summary>
/// Reads a number as people write it, into one spelling: <c>66{,}514</c> and <c>66 514</c> become <c>66514</c>,
/// <c>0.1\overline{6}</c> and <c>0.1666…</c> become <c>0.1(6)</c>. One use per number.
/// </summary>
/// <param name="joinsCommas">Whether a comma or blank before three digits can be a thousands separator.</param>
/// <param name="joinsBlanks">The same for blanks.</param>
internal sealed class NumberReader(string text, bool joinsCommas, bool joinsBlanks)
{
    private const int MaxExponentDigits = 9;

    // The first of them always separates thousands; the others do where commas are not needed for anything else.
    private static readonly string[] Separators = ["{,}", ",\\!", "\\,", ",", "\\ ", "~", " ", "\u00A0", "\u2009", "\u202F"];
    private static readonly string[] Overlines = ["\\overline{", "\\bar{"];
    private static readonly string[] Ellipses = ["...", "…", "\\ldots", "\\dots", "\\cdots"];

    /// <summary>Where the number ended.</summary>
    public int End { get; private set; }

    public static bool StartsAt(string text, int at) => char.IsAsciiDigit(text[at])
        || (text[at] == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]) && (at == 0 || !char.IsAsciiDigit(text[at - 1])));

    public string Read(int start)
    {
        string whole = Whole(start);
        string fraction = Decimals();
        return whole + fraction + Exponent();
    }

    /// <returns>The value of a number in the one spelling, and how it was written; null when its exponent is out of reach.</returns>
    public static Expression? Value(string number)
    {
        int exponentAt = number.IndexOf('e', StringComparison.Ordinal);
        string mantissa = exponentAt < 0 ? number : number[..exponentAt];
        var literal = Mantissa(mantissa);
        if (exponentAt < 0) return literal;
        int exponent = int.Parse(number.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (Math.Abs(exponent) > ExactNumbers.MaxBits / 4)
            return new Product([literal, new Power(Literal.Of(10), Literal.Of(exponent))]);
        int decimals = Math.Max(0, (literal.Decimals ?? 0) - exponent);
        return literal with { Value = literal.Value * Rational.Of(10).Power(exponent), Decimals = decimals };
    }

    private static Literal Mantissa(string text)
    {
        int point = text.IndexOf('.', StringComparison.Ordinal);
        int period = text.IndexOf('(', StringComparison.Ordinal);
        string fixedPart = (period < 0 ? text : text[..period]).Replace(".", "", StringComparison.Ordinal);
        int decimals = point < 0 ? 0 : (period < 0 ? text.Length : period) - point - 1;
        var value = Rational.Of(Digits(fixedPart), BigInteger.Pow(10, decimals));
        string significant = fixedPart.TrimStart('0');
        if (point >= 0) significant = significant.TrimEnd('0');
        if (period < 0) return new Literal(value, point < 0 ? null : decimals - TrailingZeros(fixedPart, decimals), significant.Length);
        string repeated = text[(period + 1)..^1];
        var nines = (BigInteger.Pow(10, repeated.Length) - 1) * BigInteger.Pow(10, decimals);
        // Written out it would never end: that is a fraction, and no approximation.
        return new Literal(value + Rational.Of(Digits(repeated), nines), null, 0);
    }

    private static int TrailingZeros(string digits, int most)
    {
        int zeros = 0;
        while (zeros < most && digits[digits.Length - 1 - zeros] == '0') zeros++;
        return zeros;
    }

    private static BigInteger Digits(string digits) =>
        digits.Length == 0 ? 0 : BigInteger.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    private string Whole(int start)
    {
        End = DigitsFrom(start);
        string digits = text[start..End];
        if (digits.Length is 0 or > 3 || digits[0] == '0') return digits;
        foreach (string separator in Separators)
        {
            bool isAllowed = separator is "{,}" or ",\\!" or "\\," || (separator == "," ? joinsCommas : joinsBlanks);
            if (!isAllowed || Grouped(End, separator) is not { } end) continue;
            digits = text[start..end].Replace(separator, "", StringComparison.Ordinal);
            End = end;
            return digits;
        }

        return digits;
    }

    /// <returns>Where groups of three digits end; null when there are none, or something that looks like a list.</returns>
    private int? Grouped(int at, string separator)
    {
        int groups = 0;
        while (text.AsSpan(at).StartsWith(separator) && DigitsFrom(at + separator.Length) is var end && end > at + separator.Length)
        {
            if (end != at + separator.Length + 3) return null;
            at = end;
            groups++;
        }

        return groups == 0 ? null : at;
    }

    private string Decimals()
    {
        if (End >= text.Length || text[End] != '.') return "";
        int end = DigitsFrom(End + 1);
        string decimals = text[(End + 1)..end];
        if (Overlined(end) is { } repeated)
        {
            End = repeated.End;
            return $".{decimals}({repeated.Digits})";
        }

        // The point at the end of a sentence belongs to the sentence.
        if (decimals.Length == 0) return "";
        End = end;
        if (Ellipses.FirstOrDefault(dots => text.AsSpan(end).StartsWith(dots)) is not { } found) return $".{decimals}";
        End = end + found.Length;
        return "." + Repeating(decimals);
    }

    private (string Digits, int End)? Overlined(int at)
    {
        string? opening = Overlines.FirstOrDefault(mark => text.AsSpan(at).StartsWith(mark));
        if (opening is null) return null;
        int start = at + opening.Length;
        int end = DigitsFrom(start);
        return end > start && end < text.Length && text[end] == '}' ? (text[start..end], end + 1) : null;
    }

    /// <summary>Digits that end with the same thing twice, as <c>1666</c> does, go on with it.</summary>
    private static string Repeating(string decimals)
    {
        for (int period = 1; period <= Math.Min(decimals.Length / 2, 12); period++)
        {
            string last = decimals[^period..];
            if (!decimals[..^period].EndsWith(last, StringComparison.Ordinal)) continue;
            string rest = decimals;
            while (rest.EndsWith(last, StringComparison.Ordinal)) rest = rest[..^period];
            return $"{rest}({last})";
        }

        return decimals;
    }

    // 3.6e6; not 29e^4, nor 5em.
    private string Exponent()
    {
        if (End + 1 >= text.Length || text[End] is not ('e' or 'E')) return "";
        bool isSigned = text[End + 1] is '+' or '-';
        int start = isSigned ? End + 2 : End + 1;
        int end = DigitsFrom(start);
        if (end == start || end - start > MaxExponentDigits || (end < text.Length && char.IsLetter(text[end]))) return "";
        string sign = isSigned && text[End + 1] == '-' ? "-" : "";
        End = end;
        return $"e{sign}{text[start..end]}";
    }

    private int DigitsFrom(int at)
    {
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        return at;
    }
}
