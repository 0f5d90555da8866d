using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
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

    private static int Ordered(double a, double b) => a < b ? -1 : a > b ? 1 : a == b ? 0 : 2;
}

/// <summary>Decimal rounding of binary numbers as Python does it: exact, ties to even.</summary>
internal static class Rounding
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

    /// <summary>With exactly so many decimals.</summary>
    public static string Fixed(double value, int digits)
    {
        if (!double.IsFinite(value)) return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        if (digits > MostDigits) throw TemplateException.Limit($"more than {MostDigits} decimals");
        string text = BigInteger.Abs(Units(value, digits)).ToString(CultureInfo.InvariantCulture).PadLeft(digits + 1, '0');
        return (double.IsNegative(value) ? "-" : "") + (digits == 0 ? text : text[..^digits] + "." + text[^digits..]);
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
        int half = (remainder * 2).CompareTo(denominator);
        if (half > 0 || (half == 0 && !quotient.IsEven)) quotient++;
        return bits < 0 ? -quotient : quotient;
    }
}
