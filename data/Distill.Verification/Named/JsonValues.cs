using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Distill.Verification.Named;

/// <summary>JSON read within limits, compared by value.</summary>
internal static class JsonValues
{
    private const int MaxLength = 100_000;

    // Recursion over parsed values goes no deeper than the parser let them be.
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <returns>Null when the text is not JSON, too long, too deep, names a field twice, or has texts that are none.</returns>
    public static JsonElement? TryParse(string text)
    {
        var trimmed = text.AsSpan().Trim();
        if (trimmed.Length is 0 or > MaxLength) return null;
        try
        {
            using var document = JsonDocument.Parse(trimmed.ToString(), Options);
            var root = document.RootElement.Clone();
            // Texts are decoded when they are read, not when they are parsed: whoever gets the value can read all of it.
            _ = Canonical(root);
            return root;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (Exception fault) when (fault is ArgumentException or InvalidOperationException)
        {
            // Half of a surrogate pair, as such or escaped, is no text.
            return null;
        }
    }

    /// <summary>Whether a value has everything that another names.</summary>
    public static bool Includes(JsonElement whole, JsonElement part)
    {
        if (whole.ValueKind != part.ValueKind) return false;
        return part.ValueKind switch
        {
            JsonValueKind.Object => part.EnumerateObject().All(field =>
                whole.TryGetProperty(field.Name, out var value) && Includes(value, field.Value)),
            JsonValueKind.Array => whole.GetArrayLength() == part.GetArrayLength()
                && whole.EnumerateArray().Zip(part.EnumerateArray(), Includes).All(same => same),
            _ => Canonical(whole) == Canonical(part),
        };
    }

    /// <summary>Equal for equal values: fields in order, numbers in one spelling.</summary>
    public static string Canonical(JsonElement value)
    {
        var text = new StringBuilder();
        Write(value, text);
        return text.ToString();
    }

    private static void Write(JsonElement value, StringBuilder text)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                foreach (var field in value.EnumerateObject().OrderBy(field => field.Name, StringComparer.Ordinal))
                {
                    text.Append(JsonSerializer.Serialize(field.Name)).Append(':');
                    Write(field.Value, text);
                    text.Append(',');
                }

                text.Append('}');
                break;
            case JsonValueKind.Array:
                text.Append('[');
                foreach (var item in value.EnumerateArray())
                {
                    Write(item, text);
                    text.Append(',');
                }

                text.Append(']');
                break;
            case JsonValueKind.Number:
                text.Append(Number(value.GetRawText()));
                break;
            case JsonValueKind.String:
                text.Append(JsonSerializer.Serialize(value.GetString()));
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }
    }

    /// <summary>Digits without zeros at either end, and the power of ten: no number is too large, and none is rounded.</summary>
    private static string Number(string raw)
    {
        int exponentAt = raw.AsSpan().IndexOfAny('e', 'E');
        string mantissa = exponentAt < 0 ? raw : raw[..exponentAt];
        long exponent = 0;
        var power = exponentAt < 0 ? default : raw.AsSpan(exponentAt + 1);
        if (exponentAt >= 0 && !long.TryParse(power, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent)) return raw;
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal).TrimStart('-').TrimStart('0');
        if (point >= 0) exponent -= mantissa.Length - point - 1;
        string significant = digits.TrimEnd('0');
        if (significant.Length == 0) return "0";
        string sign = mantissa[0] == '-' ? "-" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{significant}e{exponent + digits.Length - significant.Length}");
    }
}
