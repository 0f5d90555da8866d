using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Text;
using Distill.Templates.Values;

namespace Distill.Templates.Runtime;

/// <summary>Python's numbers: booleans count as 0 and 1, integers have no bound but the budget's.</summary>
internal static class Numbers
{
    private const int MostDigits = 4300;

    public static bool Is([NotNullWhen(true)] Value? value) => value is Integer or Float or Values.Boolean;

    /// <summary>The value of an integer or boolean.</summary>
    public static BigInteger? Whole(Value value) => value switch
    {
        Integer integer => integer.Value,
        Values.Boolean boolean => boolean.Value ? BigInteger.One : BigInteger.Zero,
        _ => null,
    };

    public static double Real(Value value) => value is Float real ? real.Value : (double)Whole(value)!.Value;

    /// <summary>An integer that fits; others are clipped, as Python does for slices.</summary>
    public static long Clipped(Value value, string what) => value is Undefined undefined
        ? throw undefined.Failure()
        : Whole(value) is { } whole
            ? (long)BigInteger.Clamp(whole, long.MinValue / 4, long.MaxValue / 4)
            : throw TemplateException.Type($"{what} must be a whole number, not '{value.TypeName}'");

    public static int Compare(Value a, Value b) =>
        Whole(a) is { } x && Whole(b) is { } y ? x.CompareTo(y) : Ordered(Real(a), Real(b));

    /// <summary>Equal numbers of different types hash alike.</summary>
    public static int Hash(Value value) => (Real(value) + 0.0).GetHashCode();

    /// <summary>Python's shortest decimal that reads back as the same number: <c>3.0</c>, <c>1e-07</c>, <c>1e+20</c>.</summary>
    public static string Print(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        if (value == 0) return double.IsNegative(value) ? "-0.0" : "0.0";
        string shortest = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        int mark = shortest.IndexOf('E');
        string mantissa = mark < 0 ? shortest : shortest[..mark];
        int point = mantissa.IndexOf('.') is var dot and >= 0 ? dot : mantissa.Length;
        string digits = mantissa.Replace(".", "");
        int leading = digits.Length - digits.TrimStart('0').Length;
        // Decimal exponent of the first significant digit.
        int exponent = point - 1 - leading + (mark < 0
            ? 0
            : int.Parse(shortest.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
        digits = digits.Trim('0');
        return (value < 0 ? "-" : "") + (exponent is < -4 or >= 16 ? Scientific(digits, exponent) : Positional(digits, exponent));
    }

    /// <exception cref="TemplateException">Too long to print.</exception>
    public static string Print(BigInteger value) => value.GetBitLength() > MostDigits * 10 / 3
        ? throw TemplateException.Limit($"an integer has more than {MostDigits} digits")
        : value.ToString(CultureInfo.InvariantCulture);

    private static string Scientific(string digits, int exponent)
    {
        string fraction = digits.Length > 1 ? "." + digits[1..] : "";
        return $"{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    private static string Positional(string digits, int exponent)
    {
        if (exponent < 0) return "0." + new string('0', -exponent - 1) + digits;
        digits = digits.PadRight(exponent + 1, '0');
        return digits[..(exponent + 1)] + "." + (digits.Length > exponent + 1 ? digits[(exponent + 1)..] : "0");
    }

    /// <summary>A text as Python's <c>int</c> reads it; null where it refuses it.</summary>
    /// <param name="radix">2 to 36, or 0: as the text's own prefix says.</param>
    /// <exception cref="TemplateException">Too many digits.</exception>
    public static BigInteger? ParseWhole(string text, int radix)
    {
        string digits = Ascii(text);
        bool negative = digits.StartsWith('-');
        if (negative || digits.StartsWith('+')) digits = digits[1..];
        int prefix = digits is ['0', var mark, ..] ? char.ToLowerInvariant(mark) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        bool prefixed = prefix != 0 && (radix == prefix || radix == 0);
        bool plain = radix == 0 && !prefixed;
        // After a prefix an underscore may follow at once.
        if (prefixed) digits = digits[2..].StartsWith('_') ? digits[3..] : digits[2..];
        radix = prefixed ? prefix : plain ? 10 : radix;
        if (radix is < 2 or > 36 || !HasDigits(digits, c => char.IsAsciiLetterOrDigit(c) && Digit(c) < radix)) return null;
        digits = digits.Replace("_", "");
        if (digits.Length > MostDigits) throw TemplateException.Limit($"a number has more than {MostDigits} digits");
        if (plain && digits[0] == '0' && digits.Trim('0').Length > 0) return null;
        var value = digits.Aggregate(BigInteger.Zero, (sum, c) => sum * radix + Digit(c));
        return negative ? -value : value;
    }

    /// <summary>A text as Python's <c>float</c> reads it, "inf" and "nan" included; null where it refuses it.</summary>
    public static double? ParseReal(string text)
    {
        string number = Ascii(text);
        string magnitude = number.TrimStart('+', '-').ToLowerInvariant();
        if (number.Length - magnitude.Length > 1) return null;
        double sign = number.StartsWith('-') ? -1 : 1;
        if (magnitude is "inf" or "infinity") return sign * double.PositiveInfinity;
        if (magnitude == "nan") return double.NaN;
        for (int i = 0; i < magnitude.Length; i++)
            if (magnitude[i] == '_' && !(IsDigitAt(i - 1) && IsDigitAt(i + 1))) return null;
        const NumberStyles Style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(magnitude.Replace("_", ""), Style, CultureInfo.InvariantCulture, out double value) ? sign * value : null;

        bool IsDigitAt(int i) => i >= 0 && i < magnitude.Length && char.IsAsciiDigit(magnitude[i]);
    }

    private static int Digit(char c) => char.IsAsciiDigit(c) ? c - '0' : char.ToLowerInvariant(c) - 'a' + 10;

    /// <summary>Digits with at most one underscore between two of them.</summary>
    private static bool HasDigits(string text, Func<char, bool> isDigit) =>
        text.Length > 0 && text[0] != '_' && text[^1] != '_' && !text.Contains("__", StringComparison.Ordinal)
        && text.All(c => c == '_' || isDigit(c));

    /// <summary>Without white space around it, and with the decimal digits of any script as ASCII's.</summary>
    private static string Ascii(string text)
    {
        text = text.AsSpan().Trim(PythonSpace.Characters).ToString();
        if (text.All(char.IsAscii)) return text;
        return string.Concat(text.EnumerateRunes().Select(rune => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber
            ? ((char)('0' + (int)Rune.GetNumericValue(rune))).ToString()
            : rune.ToString()));
    }

    private static int Ordered(double a, double b) => a < b ? -1 : a > b ? 1 : a == b ? 0 : 2;
}
