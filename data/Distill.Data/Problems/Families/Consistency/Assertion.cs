using System.Globalization;
using System.Text.RegularExpressions;

namespace Distill.Data.Problems.Families.Consistency;

/// <summary>What a statement says of one person or of two; each is a set of clauses over "comes".</summary>
internal enum AssertionKind
{
    Fact,
    Or,
    ExactlyOne,
    Equal,
}

/// <summary>Somebody comes, or does not.</summary>
internal readonly record struct Literal(int Person, bool Comes)
{
    public Literal Negated => this with { Comes = !Comes };
}

/// <summary>
/// A statement. <c>Or</c> says that at least one of two literals holds, which covers "if … then …" and "not both"; the other pairs are
/// about two people who come.
/// </summary>
/// <param name="Second">The same as <paramref name="First"/> for a fact.</param>
internal sealed record Assertion(AssertionKind Kind, Literal First, Literal Second)
{
    public IEnumerable<int> People => Kind == AssertionKind.Fact ? [First.Person] : [First.Person, Second.Person];

    /// <summary>As a conjunction of clauses, each of one or two literals.</summary>
    public IReadOnlyList<IReadOnlyList<Literal>> Clauses => Kind switch
    {
        AssertionKind.Fact => [[First]],
        AssertionKind.Or => [[First, Second]],
        AssertionKind.ExactlyOne => [[First, Second], [First.Negated, Second.Negated]],
        _ => [[First.Negated, Second], [First, Second.Negated]],
    };

    /// <param name="coming">One bit per person.</param>
    public bool Holds(int coming)
    {
        var (first, second) = (IsTrue(First, coming), IsTrue(Second, coming));
        return Kind switch
        {
            AssertionKind.Fact => first,
            AssertionKind.Or => first || second,
            AssertionKind.ExactlyOne => first != second,
            _ => first == second,
        };
    }

    private static bool IsTrue(Literal literal, int coming) => (((coming >> literal.Person) & 1) != 0) == literal.Comes;

    /// <summary>What it says without phrasing: "if a then b" and "if not b then not a" are one.</summary>
    public Relation ToRelation() => Kind switch
    {
        AssertionKind.Fact => new Relation(First.Comes ? "yes" : "no", true, First.Person),
        AssertionKind.ExactlyOne => new Relation("one", true, First.Person, Second.Person),
        AssertionKind.Equal => new Relation("equal", true, First.Person, Second.Person),
        _ when First.Comes != Second.Comes => First.Comes
            ? new Relation("if", false, Second.Person, First.Person)
            : new Relation("if", false, First.Person, Second.Person),
        _ => new Relation(First.Comes ? "or" : "nor", true, First.Person, Second.Person),
    };
}

/// <summary>Which sets of statements can be true together: by trying everybody coming or not.</summary>
internal static class Satisfiability
{
    /// <summary>More people or statements than any problem has.</summary>
    public const int MaxPeople = 8;

    /// <summary>No way of coming makes all of them true.</summary>
    public static bool IsContradiction(IReadOnlyList<Assertion> statements, int people) =>
        !Enumerable.Range(0, 1 << people).Any(coming => statements.All(statement => statement.Holds(coming)));

    /// <summary>They contradict each other, and without any one of them they do not.</summary>
    public static bool IsMinimalContradiction(IReadOnlyList<Assertion> statements, int people) =>
        IsContradiction(statements, people)
        && Enumerable.Range(0, statements.Count).All(i => !IsContradiction([.. statements.Where((_, at) => at != i)], people));
}

/// <summary>Statements in plain language, both ways: the verifier reads them out of the question, as answers name them by number.</summary>
internal static partial class AssertionText
{
    private const int MaxStatements = 12;

    private static readonly string[] VerbsOfMany = ["come", "sing", "help", "work"];

    public static IReadOnlyList<string> Verbs => VerbsOfMany;

    /// <param name="turned">The other way to say the same, where there is one.</param>
    public static string Write(Assertion statement, IReadOnlyList<string> names, string verb, bool turned)
    {
        var (first, second) = (names[statement.First.Person], names[statement.Second.Person]);
        return statement.Kind switch
        {
            AssertionKind.Fact => $"{Does(statement.First)} .",
            AssertionKind.ExactlyOne => $"exactly one of {first} and {second} {verb}s .",
            AssertionKind.Equal => $"{first} {verb}s if and only if {second} {verb}s .",
            _ => Either(),
        };

        string Does(Literal literal) => literal.Comes ? $"{names[literal.Person]} {verb}s" : $"{names[literal.Person]} does not {verb}";

        string Either()
        {
            if (statement.First.Comes != statement.Second.Comes)
            {
                var (negative, positive) = statement.First.Comes
                    ? (statement.Second, statement.First)
                    : (statement.First, statement.Second);
                return turned ? IfThen(positive, negative) : IfThen(negative, positive);
            }

            if (turned)
                return IfThen(statement.First, statement.Second);
            return statement.First.Comes
                ? $"{Does(statement.First)} or {Does(statement.Second)} ."
                : $"{first} and {second} do not both {verb} .";
        }

        // "a or b" is "if not a then b".
        string IfThen(Literal unless, Literal other) => $"if {Does(unless.Negated)} then {Does(other)} .";
    }

    /// <summary>The numbered statements of a question, and how many people they are about.</summary>
    /// <returns>Null when there are none, or one that cannot be read.</returns>
    public static (IReadOnlyList<Assertion> Statements, int People)? Read(string text)
    {
        var names = new List<string>();
        var statements = new List<Assertion>();
        foreach (Match match in Numbered().Matches(text))
        {
            var number = int.Parse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
            if (number != statements.Count + 1 || number > MaxStatements || ReadOne(match.Groups[2].Value, names) is not { } statement)
                return null;
            statements.Add(statement);
        }

        return statements.Count == 0 || names.Count > Satisfiability.MaxPeople ? null : (statements, names.Count);
    }

    private static Assertion? ReadOne(string sentence, List<string> names)
    {
        if (Conditional().Match(sentence) is { Success: true } condition)
            return Or(Literal(condition.Groups[1].Value)?.Negated, Literal(condition.Groups[2].Value));
        if (NotBoth().Match(sentence) is { Success: true } both)
            return Or(new Literal(Person(both.Groups[1].Value), false), new Literal(Person(both.Groups[2].Value), false));
        if (OneOf().Match(sentence) is { Success: true } one)
            return Pair(AssertionKind.ExactlyOne, one);
        if (IfAndOnlyIf().Match(sentence) is { Success: true } equal)
            return Pair(AssertionKind.Equal, equal);
        var parts = sentence.Split(" or ");
        return parts.Length switch
        {
            1 => Literal(sentence) is { } fact ? new Assertion(AssertionKind.Fact, fact, fact) : null,
            2 => Or(Literal(parts[0]), Literal(parts[1])),
            _ => null,
        };

        Assertion? Or(Literal? first, Literal? second) =>
            first is { } one && second is { } other ? new Assertion(AssertionKind.Or, one, other) : null;

        Assertion Pair(AssertionKind kind, Match match) =>
            new(kind, new Literal(Person(match.Groups[1].Value), true), new Literal(Person(match.Groups[2].Value), true));

        Literal? Literal(string words) => words.Split(' ') switch
        {
            [var name, "does", "not", _] => new Literal(Person(name), false),
            [var name, _] => new Literal(Person(name), true),
            _ => null,
        };

        int Person(string name)
        {
            if (!names.Contains(name))
                names.Add(name);
            return names.IndexOf(name);
        }
    }

    [GeneratedRegex(@"\( ([0-9]{1,2}) \) ([a-z ]+?) \.")]
    private static partial Regex Numbered();

    [GeneratedRegex("^if ([a-z ]+) then ([a-z ]+)$")]
    private static partial Regex Conditional();

    [GeneratedRegex("^([a-z]+) and ([a-z]+) do not both [a-z]+$")]
    private static partial Regex NotBoth();

    [GeneratedRegex("^exactly one of ([a-z]+) and ([a-z]+) [a-z]+$")]
    private static partial Regex OneOf();

    [GeneratedRegex("^([a-z]+) [a-z]+ if and only if ([a-z]+) [a-z]+$")]
    private static partial Regex IfAndOnlyIf();
}
