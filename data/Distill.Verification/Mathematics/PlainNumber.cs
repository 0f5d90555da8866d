using System.Globalization;
using System.Numerics;

namespace Distill.Verification;

internal static class PlainNumber
{
    public static string? Canonical(string text, bool whole)
    {
        string plain = text.Replace("{,}", ",", StringComparison.Ordinal).Replace("\\$", "", StringComparison.Ordinal).TrimStart('$').Trim();
        if (plain.Length > 400 || plain.Any(c => !char.IsAsciiDigit(c) && c is not ('.' or ',' or '-' or '/'))) return null;
        var parts = plain.Split('/');
        if (parts.Length > 2 || (whole && parts.Length > 1)) return null;
        var values = parts.Select(part => decimal.TryParse(part, NumberStyles.Number, CultureInfo.InvariantCulture, out decimal d) ? d : (decimal?)null).ToArray();
        if (values.Any(v => v is null) || (values.Length == 2 && values[1] == 0)) return null;
        if (whole) return values[0] % 1 == 0 ? ((BigInteger)values[0]!.Value).ToString(CultureInfo.InvariantCulture) : null;
        return (values.Length == 2 ? values[0]!.Value / values[1]!.Value : values[0]!.Value).ToString("0.############", CultureInfo.InvariantCulture);
    }
}
