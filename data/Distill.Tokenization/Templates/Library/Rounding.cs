using System.Globalization;
using System.Numerics;

namespace Distill.Tokenization.Templates.Library;

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
