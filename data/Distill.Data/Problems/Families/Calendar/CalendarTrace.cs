using System.Globalization;

namespace Distill.Data.Problems.Families.Calendar;

/// <summary>
/// The trace: month by month, each with its length (<c>march has 31 ; 31 - 15 = 16 ; 45 - 16 = 29 ; april has 30 ; so 29 april 2023</c>);
/// weekdays by the rest after whole weeks (<c>45 = 6 * 7 + 3 ; tuesday wednesday thursday friday</c>).
/// </summary>
internal sealed class CalendarTrace
{
    private readonly List<string> items = [];

    private CalendarTrace()
    {
    }

    /// <returns>The steps and the answer.</returns>
    public static (string Steps, string Answer) Write(CalendarContent content)
    {
        var trace = new CalendarTrace();
        var answer = trace.Run(content);
        return (string.Join(" ; ", trace.items), answer);
    }

    /// <summary>Days split into weeks and a rest: <c>45 = 6 * 7 + 3</c>.</summary>
    public static string Weeks(int days) => string.Create(CultureInfo.InvariantCulture, $"{days} = {days / 7} * 7 + {days % 7}");

    private string Run(CalendarContent content)
    {
        if (content.Kind == CalendarKind.DayAfter)
            return Walk(content.Weekday, content.Days);
        foreach (var date in content.Dates.Where(date => !date.Exists))
        {
            items.Add(date.MonthFact);
            items.Add(string.Create(CultureInfo.InvariantCulture, $"{date.Day} > {date.MonthLength} no"));
            return CalendarVerifier.Impossible;
        }

        switch (content.Kind)
        {
            case CalendarKind.DateAfter:
                var date = content.Days > 0 ? Forward(content.Start, content.Days) : Back(content.Start, -content.Days);
                items.Add($"so {date.Text}");
                return date.Text;
            case CalendarKind.DaysBetween:
                return Between(content.Start, content.End).ToString(CultureInfo.InvariantCulture);
            default:
                return Walk(content.Weekday, Between(content.Start, content.End));
        }
    }

    private string Walk(int weekday, int days)
    {
        var distance = Math.Abs(days);
        items.Add(Weeks(distance));
        var step = days < 0 ? 6 : 1;
        items.Add(string.Join(' ', Enumerable.Range(0, (distance % 7) + 1).Select(i => CalendarDate.Weekdays[(weekday + (step * i)) % 7])));
        return CalendarDate.Weekdays[(weekday + (step * distance)) % 7];
    }

    private CalendarDate Forward(CalendarDate start, int days)
    {
        items.Add(start.MonthFact);
        var left = Step(start.MonthLength, '-', start.Day);
        if (days <= left)
            return start with { Day = Step(start.Day, '+', days) };
        var month = start.FirstOfNextMonth;
        var rest = Step(days, '-', left);
        for (items.Add(month.MonthFact); rest > month.MonthLength; items.Add(month.MonthFact))
        {
            rest = Step(rest, '-', month.MonthLength);
            month = month.FirstOfNextMonth;
        }

        return month with { Day = rest };
    }

    private CalendarDate Back(CalendarDate start, int days)
    {
        if (days < start.Day)
            return start with { Day = Step(start.Day, '-', days) };
        var rest = Step(days, '-', start.Day);
        var month = start.FirstOfMonthBefore;
        for (items.Add(month.MonthFact); rest >= month.MonthLength; items.Add(month.MonthFact))
        {
            rest = Step(rest, '-', month.MonthLength);
            month = month.FirstOfMonthBefore;
        }

        return month with { Day = Step(month.MonthLength, '-', rest) };
    }

    /// <summary>Whole years first, each by its days, then months.</summary>
    private int Between(CalendarDate start, CalendarDate end)
    {
        int? days = null;
        while (start with { Year = start.Year + 1 } is var next && next.CompareTo(end) <= 0)
        {
            // 29 february, if there is one, comes in the year in which it is still ahead.
            var length = (start.Month <= 2 ? start : next).IsLeapYear ? 366 : 365;
            items.Add(string.Create(CultureInfo.InvariantCulture, $"to {next.Text} {length}"));
            days = Sum(days, length);
            start = next;
        }

        if ((start.Year, start.Month) == (end.Year, end.Month))
            return start.Day == end.Day ? days ?? 0 : Sum(days, Step(end.Day, '-', start.Day));
        items.Add(start.MonthFact);
        days = Sum(days, Step(start.MonthLength, '-', start.Day));
        for (var month = start.FirstOfNextMonth; (month.Year, month.Month) != (end.Year, end.Month); month = month.FirstOfNextMonth)
        {
            items.Add(month.MonthFact);
            days = Sum(days, month.MonthLength);
        }

        return Sum(days, end.Day);
    }

    private int Sum(int? days, int more) => days is { } before ? Step(before, '+', more) : more;

    private int Step(int left, char op, int right)
    {
        items.Add(string.Create(CultureInfo.InvariantCulture, $"{left} {op} {right} = {(op == '+' ? left + right : left - right)}"));
        return op == '+' ? left + right : left - right;
    }
}
