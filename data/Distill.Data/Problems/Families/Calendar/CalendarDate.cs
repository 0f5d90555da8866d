using System.Globalization;

namespace Distill.Data.Problems.Families.Calendar;

/// <summary>A day of the Gregorian calendar, by its words; the day may be one that does not exist, such as 30 february.</summary>
internal readonly record struct CalendarDate(int Year, int Month, int Day) : IComparable<CalendarDate>
{
    private static readonly int[] Lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

    public static IReadOnlyList<string> Months { get; } =
    [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    ];

    public static IReadOnlyList<string> Weekdays { get; } =
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

    public bool Exists => Day >= 1 && Day <= MonthLength;

    public bool IsLeapYear => Year % 4 == 0 && (Year % 100 != 0 || Year % 400 == 0);

    public int MonthLength => Month == 2 && IsLeapYear ? 29 : Lengths[Month - 1];

    /// <summary>E.g. <c>15 march 2023</c>.</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture, $"{Day} {Months[Month - 1]} {Year}");

    /// <summary>E.g. <c>march has 31</c>, <c>february 2024 has 29</c>.</summary>
    public string MonthFact => string.Create(
        CultureInfo.InvariantCulture, $"{Months[Month - 1]}{(Month == 2 ? $" {Year}" : "")} has {MonthLength}");

    public CalendarDate FirstOfNextMonth => Month == 12 ? new(Year + 1, 1, 1) : new(Year, Month + 1, 1);

    public CalendarDate FirstOfMonthBefore => Month == 1 ? new(Year - 1, 12, 1) : new(Year, Month - 1, 1);

    /// <summary>From 0 for monday. Zeller's congruence (1882), for what exists.</summary>
    public int Weekday
    {
        get
        {
            var (year, month) = Month < 3 ? (Year - 1, Month + 12) : (Year, Month);
            var zeller = Day + (13 * (month + 1) / 5) + year + (year / 4) - (year / 100) + (year / 400);
            // Zeller counts from saturday.
            return (zeller + 5) % 7;
        }
    }

    public int CompareTo(CalendarDate other) => (Year, Month, Day).CompareTo((other.Year, other.Month, other.Day));
}
