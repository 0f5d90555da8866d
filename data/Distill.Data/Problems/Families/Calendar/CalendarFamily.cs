using System.Globalization;
using Distill.Verification;

namespace Distill.Data.Problems.Families.Calendar;

/// <summary>
/// Weekdays some days away (level 1), dates some days away and days between dates (level 2), the weekday of a date from that of another,
/// over leap years (level 3). In about one problem of fourteen from level 2 on a date does not exist, and the answer is <c>impossible</c>.
/// </summary>
internal sealed class CalendarFamily : ProblemFamily<CalendarContent>
{
    private const int ImpossibleShare = 7;
    private const int FirstYear = 1990;
    private const int LastYear = 2039;

    public override string Name => "calendar";

    public override string Domain => "calendar";

    public override IVerifier Verifier { get; } = new CalendarVerifier();

    protected override IReadOnlyList<int> Ample { get; } = [1_000, 10_000, 10_000];

    protected override CalendarContent? Draw(RandomSource random, int level)
    {
        var surroundings = Surroundings.Draw(random, []);
        var content = level switch
        {
            1 => DrawDay(random),
            2 when random.Chance(50) => DrawDate(random),
            2 => DrawPair(random, CalendarKind.DaysBetween, random.Between(3, 150)),
            _ => DrawPair(random, CalendarKind.WeekdayOf, random.Between(20, 1_000)),
        };
        var impossible = level > 1 && random.Chance(ImpossibleShare);
        return (impossible ? Misdated(content, random) : content) is { } dated ? dated with { Surroundings = surroundings } : null;
    }

    protected override CalendarContent? Perturb(CalendarContent original, TwinKind kind, RandomSource random) => kind switch
    {
        TwinKind.Renamed => Redated(original, random),
        TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, []) },
        TwinKind.Unsatisfiable when original.Kind != CalendarKind.DayAfter && original.Dates.All(date => date.Exists) =>
            Misdated(original, random),
        _ => null,
    };

    protected override string Signature(CalendarContent content) => content.Kind switch
    {
        CalendarKind.DayAfter => $"calendar:{CalendarDate.Weekdays[content.Weekday]}{content.Days:+0;-0}",
        CalendarKind.DateAfter => $"calendar:{content.Start.Text}{content.Days:+0;-0}",
        CalendarKind.DaysBetween => $"calendar:days {content.Start.Text}>{content.End.Text}",
        _ => $"calendar:weekday {content.Start.Text}>{content.End.Text}",
    };

    protected override Wording Word(CalendarContent content)
    {
        var (steps, answer) = CalendarTrace.Write(content);
        return new Wording(content.Surroundings.Around(Question(content)), steps, answer);
    }

    protected override string DrawFact(RandomSource random)
    {
        switch (random.Below(4))
        {
            case 0:
                return DrawStart(random).MonthFact;
            case 1:
                return CalendarTrace.Weeks(random.Between(7, 400));
            default:
                return CalendarTrace.Write(DrawDay(random)).Steps;
        }
    }

    private static CalendarContent DrawDay(RandomSource random)
    {
        var days = random.Between(2, 200);
        return new CalendarContent(
            CalendarKind.DayAfter, default, default, random.Below(7), random.Chance(50) ? days : -days, random.Below(2), Surroundings.None);
    }

    private static CalendarContent DrawDate(RandomSource random)
    {
        var days = random.Between(3, 120);
        return new CalendarContent(
            CalendarKind.DateAfter, DrawStart(random), default, 0, random.Chance(50) ? days : -days, random.Below(2), Surroundings.None);
    }

    private static CalendarContent DrawPair(RandomSource random, CalendarKind kind, int distance)
    {
        var start = DrawStart(random);
        var end = start;
        for (var rest = distance; rest > 0; rest--)
            end = end.Day < end.MonthLength ? end with { Day = end.Day + 1 } : end.FirstOfNextMonth;
        return new CalendarContent(kind, start, end, start.Weekday, 0, random.Below(2), Surroundings.None);
    }

    /// <summary>At most the 28th: a whole number of years later there is such a day too.</summary>
    private static CalendarDate DrawStart(RandomSource random) =>
        new(random.Between(FirstYear, LastYear), random.Between(1, 12), random.Between(1, 28));

    private static CalendarContent? Redated(CalendarContent original, RandomSource random)
    {
        var content = original.Kind switch
        {
            CalendarKind.DayAfter => DrawDay(random),
            CalendarKind.DateAfter => DrawDate(random),
            CalendarKind.DaysBetween => DrawPair(random, original.Kind, random.Between(3, 150)),
            _ => DrawPair(random, original.Kind, random.Between(20, 1_000)),
        };
        content = content with { Phrasing = original.Phrasing, Surroundings = original.Surroundings };
        if (Math.Sign(content.Days) != Math.Sign(original.Days))
            return null;
        return original.Kind == CalendarKind.DayAfter || original.Dates.All(date => date.Exists) ? content : Misdated(content, random);
    }

    /// <summary>One date becomes one that its month does not have; the order of two dates stays.</summary>
    private static CalendarContent? Misdated(CalendarContent content, RandomSource random)
    {
        if (content.Kind == CalendarKind.DateAfter)
            return content with { Start = Missing(content.Start, random) };
        var changed = random.Chance(50)
            ? content with { Start = Missing(content.Start, random) }
            : content with { End = Missing(content.End, random) };
        return changed.Start.CompareTo(changed.End) < 0 ? changed : null;
    }

    private static CalendarDate Missing(CalendarDate date, RandomSource random)
    {
        // A month of 31 days has no missing one; a neighbour of it has.
        var shortMonth = date.MonthLength < 31 ? date : date with { Month = date.Month is 1 ? 2 : date.Month is 8 ? 9 : date.Month - 1 };
        return shortMonth with { Day = random.Between(shortMonth.MonthLength + 1, 31) };
    }

    private static string Question(CalendarContent content)
    {
        var first = content.Phrasing == 0;
        var (start, end, day) = (content.Start, content.End, CalendarDate.Weekdays[content.Weekday]);
        var days = Math.Abs(content.Days).ToString(CultureInfo.InvariantCulture);
        return (content.Kind, content.Days > 0) switch
        {
            (CalendarKind.DayAfter, true) =>
                $"today is {day} . what day {(first ? $"is it in {days} days" : $"comes {days} days later")} ?",
            (CalendarKind.DayAfter, false) => $"today is {day} . what day was {(first ? $"it {days} days ago" : $"{days} days before")} ?",
            (CalendarKind.DateAfter, var after) => $"what date is {days} days {(after ? "after" : "before")} {start.Text} ?",
            (CalendarKind.DaysBetween, _) => first
                ? $"how many days are there from {start.Text} to {end.Text} ?"
                : $"how many days after {start.Text} is {end.Text} ?",
            _ => $"{start.Text} is a {day} . {(first ? "what day is" : "what day of the week is")} {end.Text} ?",
        };
    }
}

internal enum CalendarKind
{
    DayAfter,
    DateAfter,
    DaysBetween,
    WeekdayOf,
}

/// <param name="Start">Unused by <c>DayAfter</c>.</param>
/// <param name="End">Later than <paramref name="Start"/>; unused where days are counted.</param>
/// <param name="Weekday">Of today or of <paramref name="Start"/>, from 0 for monday.</param>
/// <param name="Days">Negative: before.</param>
internal sealed record CalendarContent(
    CalendarKind Kind, CalendarDate Start, CalendarDate End, int Weekday, int Days, int Phrasing, Surroundings Surroundings)
{
    public IReadOnlyList<CalendarDate> Dates => Kind switch
    {
        CalendarKind.DayAfter => [],
        CalendarKind.DateAfter => [Start],
        _ => [Start, End],
    };
}
