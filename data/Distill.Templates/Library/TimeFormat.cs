using System.Globalization;
using System.Text;

namespace Distill.Templates.Library;

/// <summary>The conversions of C's <c>strftime</c>, in the C locale.</summary>
internal static class TimeFormat
{
    private const int Longest = 10_000;

    public static string Format(DateTimeOffset time, string format)
    {
        if (format.Length > Longest) throw TemplateException.Limit($"a time format is longer than {Longest} characters");
        var text = new StringBuilder();
        for (int at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                text.Append(format[at]);
                continue;
            }
            bool unpadded = format[++at] == '-' && at + 1 < format.Length;
            string part = Part(time, unpadded ? format[++at] : format[at]);
            text.Append(unpadded && part.Length > 1 ? part.TrimStart('0', ' ').PadLeft(1, '0') : part);
        }
        return text.ToString();
    }

    private static string Part(DateTimeOffset time, char kind) => kind switch
    {
        'Y' => time.Year.ToString(CultureInfo.InvariantCulture),
        'y' => Two(time.Year % 100),
        'C' => Two(time.Year / 100),
        'm' => Two(time.Month),
        'd' => Two(time.Day),
        'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'H' => Two(time.Hour),
        'I' => Two((time.Hour + 11) % 12 + 1),
        'M' => Two(time.Minute),
        'S' => Two(time.Second),
        'f' => (time.Ticks % TimeSpan.TicksPerSecond / 10).ToString("000000", CultureInfo.InvariantCulture),
        'p' => time.Hour < 12 ? "AM" : "PM",
        'B' => time.ToString("MMMM", CultureInfo.InvariantCulture),
        'b' or 'h' => time.ToString("MMM", CultureInfo.InvariantCulture),
        'A' => time.ToString("dddd", CultureInfo.InvariantCulture),
        'a' => time.ToString("ddd", CultureInfo.InvariantCulture),
        'w' => ((int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'u' => (((int)time.DayOfWeek + 6) % 7 + 1).ToString(CultureInfo.InvariantCulture),
        'F' => Format(time, "%Y-%m-%d"),
        'T' or 'X' => Format(time, "%H:%M:%S"),
        'R' => Format(time, "%H:%M"),
        'D' or 'x' => Format(time, "%m/%d/%y"),
        'c' => Format(time, "%a %b %e %H:%M:%S %Y"),
        'n' => "\n",
        't' => "\t",
        '%' => "%",
        _ => throw TemplateException.Unsupported($"'%{kind}' in a time format is not supported"),
    };

    private static string Two(int value) => value.ToString("00", CultureInfo.InvariantCulture);
}
