using System.Globalization;
using System.Text.RegularExpressions;

namespace Distill.Service.Schedules;

/// <summary>Text that holds the day of an occurrence, or its time: <c>{date}</c>, <c>{date-7}</c>, <c>{date:yyyyMMdd}</c>,
/// <c>{date-1:yyyy/MM/dd}</c>, <c>{date:MMddHHmm}</c>.</summary>
internal static partial class DatedText
{
    private const string Usual = "yyyy-MM-dd";

    /// <summary>Other braces stay as they are: YAML has its own.</summary>
    public static string Fill(string text, DateTime day) => Placeholder().Replace(text, found =>
    {
        int days = found.Groups["days"] is { Success: true, Value: var shift } ? int.Parse(shift, CultureInfo.InvariantCulture) : 0;
        string format = found.Groups["format"] is { Success: true, Value: var given } ? given : Usual;
        return day.AddDays(days).ToString(format, CultureInfo.InvariantCulture);
    });

    /// <summary>What is wrong with a text; null when nothing is.</summary>
    public static string? Fault(string text) =>
        AnyDate().Matches(text).FirstOrDefault(found => !Placeholder().IsMatch(found.Value)) is { } wrong
            ? $"'{wrong.Value}' is no date" : null;

    // At least two characters: a single letter is one of .NET's standard formats.
    [GeneratedRegex(@"\{date(?<days>[+-][0-9]{1,4})?(:(?<format>[yMdHms_./-]{2,20}))?\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"\{date[^{}]*\}")]
    private static partial Regex AnyDate();
}
