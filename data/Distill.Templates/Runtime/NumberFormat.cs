using System.Globalization;
using System.Numerics;
using System.Text;

namespace Distill.Templates.Runtime;

/// <summary>Numbers in the spellings of Python's formats. Binary numbers are rounded to decimals exactly, ties to even.</summary>
internal static class NumberFormat
{
    private const int MostDigits = 400;

    /// <summary>The number rounded to so many decimals, negative ones to the left of the point.</summary>
    public static double Round(double value, int digits)
    {
        if (!double.IsFinite(value) || digits > MostDigits) return value;
        if (digits < -MostDigits) return 0;
        double rounded = double.Parse(FormattableString.Invariant($"{Units(value, digits)}e{-digits}"), CultureInfo.InvariantCulture);
        return Math.CopySign(rounded, value);
    }

    /// <summary>The integer rounded to a multiple of 10^<paramref name="places"/>.</summary>
    public static BigInteger RoundWhole(BigInteger value, int places)
    {
        if (places > MostDigits) return BigInteger.Zero;
        var unit = BigInteger.Pow(10, places);
        var quotient = BigInteger.DivRem(BigInteger.Abs(value), unit, out var remainder);
        return value.Sign * unit * Rounded(quotient, remainder, unit);
    }

    /// <summary>
    /// The magnitude of a number by one of the letters e f g % (or n, as g, or none, as Python prints it), without a sign.
    /// </summary>
    /// <param name="precision">Decimals, or for g significant digits; null for the letter's own.</param>
    /// <param name="alternate">Keep the point and what zeros end the number.</param>
    public static string Real(double value, char kind, int? precision, bool alternate)
    {
        value = Math.Abs(value);
        if (kind == '%') return Real(value * 100, 'f', precision, alternate) + "%";
        string text = !double.IsFinite(value) ? (double.IsNaN(value) ? "nan" : "inf") : char.ToLowerInvariant(kind) switch
        {
            'f' => Fixed(value, precision ?? 6) + (alternate && precision == 0 ? "." : ""),
            'e' => Scientific(value, precision ?? 6, alternate),
            '\0' when precision is null => Numbers.Print(value),
            '\0' => General(value, Math.Max(precision.Value, 1), alternate, withZero: true),
            _ => General(value, Math.Max(precision ?? 6, 1), alternate, withZero: false),
        };
        return char.IsAsciiLetterUpper(kind) ? text.ToUpperInvariant() : text;
    }

    /// <summary>The magnitude of an integer by one of the letters b o x X, or else in decimal.</summary>
    public static string Whole(BigInteger value, char kind)
    {
        uint radix = kind switch { 'b' => 2u, 'o' => 8u, 'x' or 'X' => 16u, _ => 10u };
        var rest = BigInteger.Abs(value);
        if (radix == 10) return Numbers.Print(rest);
        var digits = new StringBuilder();
        for (; !rest.IsZero || digits.Length == 0; rest /= radix) digits.Insert(0, "0123456789abcdef"[(int)(rest % radix)]);
        return kind == 'X' ? digits.ToString().ToUpperInvariant() : digits.ToString();
    }

    /// <summary>With exactly so many decimals.</summary>
    public static string Fixed(double value, int digits)
    {
        if (!double.IsFinite(value)) return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        if (digits > MostDigits) throw TemplateException.Limit($"more than {MostDigits} decimals");
        string text = BigInteger.Abs(Units(value, digits)).ToString(CultureInfo.InvariantCulture).PadLeft(digits + 1, '0');
        return (double.IsNegative(value) ? "-" : "") + (digits == 0 ? text : text[..^digits] + "." + text[^digits..]);
    }

    private static string Scientific(double value, int decimals, bool alternate)
    {
        var (digits, exponent) = Significant(value, decimals + 1);
        return digits[0] + (decimals > 0 || alternate ? "." : "") + digits[1..] + Exponent(exponent);
    }

    private static string General(double value, int precision, bool alternate, bool withZero)
    {
        var (digits, exponent) = Significant(value, precision);
        if (!alternate) digits = digits[0] + digits[1..].TrimEnd('0');
        if (exponent < -4 || exponent >= precision - (withZero ? 1 : 0))
            return digits[0] + (digits.Length > 1 || alternate ? "." : "") + digits[1..] + Exponent(exponent);
        if (exponent < 0) return "0." + new string('0', -exponent - 1) + digits;
        digits = digits.PadRight(exponent + 1, '0');
        string fraction = digits[(exponent + 1)..];
        if (fraction.Length == 0 && withZero) fraction = "0";
        return digits[..(exponent + 1)] + (fraction.Length > 0 || alternate ? "." : "") + fraction;
    }

    private static string Exponent(int exponent) =>
        string.Create(CultureInfo.InvariantCulture, $"e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");

    /// <summary>So many digits, rounded, and the decimal exponent of the first.</summary>
    private static (string Digits, int Exponent) Significant(double value, int count)
    {
        if (count > MostDigits) throw TemplateException.Limit($"more than {MostDigits} digits");
        if (value == 0) return (new string('0', count), 0);
        int exponent = (int)Math.Floor(Math.Log10(value));
        string digits = Digits();
        // The logarithm may be off by one, and rounding may add a digit.
        if (digits.Length > count) exponent++;
        else if (digits.Length < count) exponent--;
        return (digits.Length == count ? digits : Digits(), exponent);

        string Digits() => Units(value, count - 1 - exponent).ToString(CultureInfo.InvariantCulture);
    }

    private static BigInteger Rounded(BigInteger quotient, BigInteger remainder, BigInteger unit)
    {
        int half = (remainder * 2).CompareTo(unit);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    /// <summary>value × 10^digits, rounded to the nearest integer, ties to even.</summary>
    private static BigInteger Units(double value, int digits)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)((bits >> 52) & 0x7FF);
        long mantissa = (bits & 0xFFFFFFFFFFFFF) | (exponent == 0 ? 0 : 1L << 52);
        int power = Math.Max(exponent, 1) - 1075;
        var numerator = BigInteger.Pow(10, Math.Max(digits, 0)) * mantissa << Math.Max(power, 0);
        var denominator = BigInteger.Pow(10, Math.Max(-digits, 0)) << Math.Max(-power, 0);
        var quotient = BigInteger.DivRem(numerator, denominator, out var remainder);
        quotient = Rounded(quotient, remainder, denominator);
        return bits < 0 ? -quotient : quotient;
    }
}
