using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Distill.Data.Problems.Twins;

/// <summary>A number in a text: 48, 1,200, 2.50, .5.</summary>
/// <param name="Decimals">Places after the point.</param>
/// <param name="HasCommas">Thousands are parted by commas.</param>
internal sealed partial record TextNumber(int Start, int Length, Fraction Value, int Decimals, bool HasCommas)
{
    public int End => Start + Length;

    public static IEnumerable<TextNumber> ReadAll(string text) => Digits().Matches(text).Select(match => Of(match.Index, match.Value));

    /// <returns>Null unless the whole text is one number, with or without a dollar sign.</returns>
    public static TextNumber? TryRead(string text)
    {
        var number = Digits().Match(text);
        var isAlone = number.Success && text[..number.Index].Trim() is "" or "$"
            && text[(number.Index + number.Length)..].Trim().Length == 0;
        return isAlone ? Of(number.Index, number.Value) : null;
    }

    /// <summary>Another value spelled the same way.</summary>
    /// <returns>Null when it would need more places after the point.</returns>
    public string? Spell(Fraction value)
    {
        var scaled = value * BigInteger.Pow(10, Decimals);
        if (!scaled.IsInteger || value.Sign < 0)
            return null;
        var digits = scaled.Numerator.ToString(CultureInfo.InvariantCulture).PadLeft(Decimals + 1, '0');
        var whole = BigInteger.Parse(digits[..^Decimals], CultureInfo.InvariantCulture)
            .ToString(HasCommas ? "N0" : "D", CultureInfo.InvariantCulture);
        return Decimals == 0 ? whole : $"{whole}.{digits[^Decimals..]}";
    }

    private static TextNumber Of(int start, string text)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var decimals = point < 0 ? 0 : text.Length - point - 1;
        var digits = text.Replace(",", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal);
        var value = new Fraction(BigInteger.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture), BigInteger.Pow(10, decimals));
        return new TextNumber(start, text.Length, value, decimals, text.Contains(',', StringComparison.Ordinal));
    }

    // At most thirty digits: longer ones are cut into several, which no reference answer survives.
    [GeneratedRegex(@"[0-9]{1,3}(?:,[0-9]{3}){1,8}(?![0-9])(?:\.[0-9]{1,12})?|[0-9]{1,30}(?:\.[0-9]{1,12})?|\.[0-9]{1,12}")]
    private static partial Regex Digits();
}
