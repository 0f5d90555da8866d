using System.Globalization;
using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

/// <summary>The calendar of the runtime, by day numbers, where the family goes month by month.</summary>
internal sealed partial class CalendarOracle : Oracle
{
    private static readonly string[] Months =
    [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    ];

    public override bool Accepts(string text, string answer) => answer == Answer(text);

    public override bool IsUnsatisfiable(string text) => Dates(text).Any(date => !Exists(date));

    public override void CheckSteps(Problem problem)
    {
        var items = StepText.Items(problem.ReferenceSolution!);
        var dates = Dates(problem.Text);
        if (problem.ReferenceAnswer == "impossible")
        {
            var (year, month, day) = dates.First(date => !Exists(date));
            items.Length.ShouldBe(2, problem.Id);
            IsMonth(items[0], year, month).ShouldBeTrue(problem.Id);
            items[1].ShouldBe($"{day} > {DateTime.DaysInMonth(year, month)} no", problem.Id);
            return;
        }

        var back = Shift().Match(problem.Text) is { Success: true } shift && shift.Groups[2].Value == "before";
        var at = dates.Count == 0 ? default : new DateOnly(dates[0].Year, dates[0].Month, 1).AddMonths(back ? -1 : 0);
        int? result = null;
        foreach (var item in items)
        {
            if (Leap().Match(item) is { Success: true } year)
            {
                var next = at.AddYears(1).AddDays(dates[0].Day - 1);
                year.Groups[1].Value.ShouldBe(Say(next), problem.Id);
                StepText.Number(year.Groups[2].Value).ShouldBe(next.DayNumber - next.AddYears(-1).DayNumber, problem.Id);
                at = at.AddYears(1);
            }
            else if (item.Contains(" has ", StringComparison.Ordinal))
            {
                IsMonth(item, at.Year, at.Month).ShouldBeTrue($"{problem.Id}: {item}");
                at = at.AddMonths(back ? -1 : 1);
            }
            else if (StepText.Result(item) is { } value)
            {
                result = value;
            }
            else if (item.StartsWith("so ", StringComparison.Ordinal))
            {
                item.ShouldBe($"so {problem.ReferenceAnswer}", problem.Id);
            }
            else
            {
                IsTrue(item).ShouldBeTrue($"{problem.Id}: {item}");
            }
        }

        CheckEnd(problem, items, result);
    }

    public override bool IsTrue(string fact)
    {
        var items = StepText.Items(fact);
        if (items is [var weeks, var walk])
            return IsTrue(weeks) && IsWalk(walk, StepText.Number(weeks.Split(' ')[^1]));
        if (Weeks().Match(fact) is { Success: true, Groups: var parts })
        {
            var (days, whole, rest) = (StepText.Number(parts[1].Value), StepText.Number(parts[2].Value), StepText.Number(parts[3].Value));
            return rest < 7 && days == (whole * 7) + rest;
        }

        return IsWalk(fact, fact.Count(unit => unit == ' '))
            || (MonthFact().Match(fact) is { Success: true, Groups: var month}
                && IsMonth(fact, month[2].Success ? StepText.Number(month[2].Value) : 2023, Array.IndexOf(Months, month[1].Value) + 1));
    }

    private static void CheckEnd(Problem problem, string[] items, int? result)
    {
        if (Answer(problem.Text) is var answer && Between().IsMatch(problem.Text))
        {
            items[^1].ShouldEndWith($" = {answer}", customMessage: problem.Id);
        }
        else if (Shift().IsMatch(problem.Text))
        {
            items[^1].ShouldBe($"so {answer}", problem.Id);
            items[^2].ShouldSatisfyAllConditions(item => (item.Contains(" has ", StringComparison.Ordinal)
                ? result : StepText.Result(item))?.ToString().ShouldBe(answer.Split(' ')[0], problem.Id));
        }
        else
        {
            items[^1].Split(' ')[^1].ShouldBe(answer, problem.Id);
            var days = Today().Match(problem.Text) is { Success: true } today
                ? StepText.Number(today.Groups["days"].Value)
                : Day(Dates(problem.Text)[1]).DayNumber - Day(Dates(problem.Text)[0]).DayNumber;
            items[^2].ShouldStartWith($"{days} = ", customMessage: problem.Id);
            IsWalk(items[^1], days % 7).ShouldBeTrue(problem.Id);
            items[^1].Split(' ')[0].ShouldBe(Given().Match(problem.Text).Groups[1].Value, problem.Id);
        }
    }

    private static string Answer(string text)
    {
        var dates = Dates(text);
        if (dates.Any(date => !Exists(date)))
            return "impossible";
        if (Today().Match(text) is { Success: true, Groups: var today })
        {
            var days = StepText.Number(today["days"].Value) * (text.Contains(" was ", StringComparison.Ordinal) ? -1 : 1);
            // 1 january 2024 was a monday.
            var monday = new DateOnly(2024, 1, 1);
            return Weekday(Enumerable.Range(0, 7).Select(monday.AddDays).Single(day => Weekday(day) == today["day"].Value).AddDays(days));
        }

        if (Shift().Match(text) is { Success: true, Groups: var shift })
            return Say(Day(dates[0]).AddDays(StepText.Number(shift[1].Value) * (shift[2].Value == "after" ? 1 : -1)));
        if (Between().IsMatch(text))
            return $"{Day(dates[1]).DayNumber - Day(dates[0]).DayNumber}";
        Given().Match(text).Groups[1].Value.ShouldBe(Weekday(Day(dates[0])));
        return Weekday(Day(dates[1]));
    }

    private static bool IsWalk(string words, int days)
    {
        var all = Enum.GetNames<DayOfWeek>().Select(name => name.ToLowerInvariant()).ToList();
        var walk = words.Split(' ').Select(day => all.IndexOf(day)).ToArray();
        return walk.Length == days + 1 && walk.All(day => day >= 0)
            && (walk.Zip(walk.Skip(1)).All(pair => pair.Second == (pair.First + 1) % 7)
                || walk.Zip(walk.Skip(1)).All(pair => pair.Second == (pair.First + 6) % 7));
    }

    private static bool IsMonth(string fact, int year, int month) =>
        fact == $"{Months[month - 1]}{(month == 2 ? $" {year}" : "")} has {DateTime.DaysInMonth(year, month)}";

    private static List<(int Year, int Month, int Day)> Dates(string text) => Date().Matches(text).Select(match => (
        StepText.Number(match.Groups[3].Value), Array.IndexOf(Months, match.Groups[2].Value) + 1, StepText.Number(match.Groups[1].Value)))
        .ToList();

    private static bool Exists((int Year, int Month, int Day) date) => date.Day <= DateTime.DaysInMonth(date.Year, date.Month);

    private static DateOnly Day((int Year, int Month, int Day) date) => new(date.Year, date.Month, date.Day);

    private static string Say(DateOnly date) => date.ToString("d MMMM yyyy", CultureInfo.InvariantCulture).ToLowerInvariant();

    private static string Weekday(DateOnly date) => date.DayOfWeek.ToString().ToLowerInvariant();

    [GeneratedRegex("([0-9]{1,2}) (january|february|march|april|may|june|july|august|september|october|november|december) ([0-9]{4})")]
    private static partial Regex Date();

    [GeneratedRegex(
        "today is (?<day>[a-z]+) .*?(?<days>[0-9]+) days (?:ago|later|before)|"
        + "today is (?<day>[a-z]+) .*? in (?<days>[0-9]+) days")]
    private static partial Regex Today();

    [GeneratedRegex("what date is ([0-9]+) days (after|before) ")]
    private static partial Regex Shift();

    [GeneratedRegex("how many days (?:after|are there)")]
    private static partial Regex Between();

    [GeneratedRegex("(?:[0-9]{4} is a|today is) ([a-z]+day)")]
    private static partial Regex Given();

    [GeneratedRegex("^to ([0-9]+ [a-z]+ [0-9]+) ([0-9]+)$")]
    private static partial Regex Leap();

    [GeneratedRegex(@"^([0-9]+) = ([0-9]+) \* 7 \+ ([0-9]+)$")]
    private static partial Regex Weeks();

    [GeneratedRegex("^([a-z]+)(?: ([0-9]{4}))? has [0-9]+$")]
    private static partial Regex MonthFact();
}
