using System.Globalization;
using System.Text.RegularExpressions;
using Distill.Data.Verification;
using Distill.Verification;

namespace Distill.Data.Problems.Families.Calendar;

/// <summary>
/// Accepts the reference's weekday, number of days, date (<c>29 april 2023</c>, <c>april 29 , 2023</c>, <c>2023-04-29</c>) or the word
/// <c>impossible</c>.
/// </summary>
internal sealed partial class CalendarVerifier : IVerifier
{
    public const string Impossible = "impossible";

    public string Name => "calendar";

    public int Version => 1 + AnswerExtraction.Version;

    public Verdict Verify(string? answer, IVerifiable problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        if (ClassOf(answer, problem) is not { } given)
            return Verdict.Undecidable;
        return given == Read(problem.ReferenceAnswer) ? Verdict.Correct : Verdict.Incorrect;
    }

    public string? ClassOf(string? answer, IVerifiable problem) => AnswerText.Understood(answer, Read);

    private static string? Read(string text)
    {
        if (text == Impossible || CalendarDate.Weekdays.Contains(text))
            return text;
        var days = text.EndsWith(" days", StringComparison.Ordinal) ? text[..^5] : text;
        return AnswerText.ReadInteger(days)?.ToString(CultureInfo.InvariantCulture) ?? Date(text);
    }

    private static string? Date(string text)
    {
        if (Iso().Match(text) is { Success: true, Groups: var iso })
            return Iso(iso[1], iso[2].Value, iso[3]);
        if (DayFirst().Match(text) is { Success: true, Groups: var first })
            return Iso(first[3], Month(first[2].Value), first[1]);
        return MonthFirst().Match(text) is { Success: true, Groups: var month } ? Iso(month[3], Month(month[1].Value), month[2]) : null;
    }

    private static string? Month(string name) => CalendarDate.Months.ToList().IndexOf(name) is >= 0 and var index ? $"{index + 1}" : null;

    private static string? Iso(Group year, string? month, Group day) => month is null ? null : string.Create(
        CultureInfo.InvariantCulture, $"{year.Value}-{int.Parse(month, NumberStyles.None)}-{int.Parse(day.ValueSpan, NumberStyles.None)}");

    [GeneratedRegex("^([0-9]{4}) ?- ?([0-9]{2}) ?- ?([0-9]{2})$")]
    private static partial Regex Iso();

    [GeneratedRegex("^([0-9]{1,2})(?:st|nd|rd|th)?(?: of)? ([a-z]{3,9}) ?,? ?([0-9]{4})$")]
    private static partial Regex DayFirst();

    [GeneratedRegex("^([a-z]{3,9}) ([0-9]{1,2})(?:st|nd|rd|th)? ?,? ?([0-9]{4})$")]
    private static partial Regex MonthFirst();
}
