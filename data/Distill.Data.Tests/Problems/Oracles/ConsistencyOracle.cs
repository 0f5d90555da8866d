using System.Text.RegularExpressions;
using Distill.Data.Problems;

namespace Distill.Data.Tests.Problems.Oracles;

/// <summary>Statements as tests on the set of those who come, read from their words.</summary>
internal sealed partial class ConsistencyOracle : Oracle
{
    public override bool Accepts(string text, string answer)
    {
        var statements = ComingStatement.ReadAll(text);
        if (answer == "consistent")
            return Worlds(statements).Count > 0;
        int[] numbers = [.. answer.Split(" , ").Select(StepText.Number)];
        if (numbers.Any(number => number > statements.Count))
            return false;
        ComingStatement[] chosen = [.. numbers.Select(number => statements[number - 1])];
        return Worlds(chosen).Count == 0 && chosen.All(one => Worlds([.. chosen.Where(other => other != one)]).Count > 0);
    }

    public override bool IsUnsatisfiable(string text) => Worlds(ComingStatement.ReadAll(text)).Count == 0;

    public override void CheckSteps(Problem problem)
    {
        var statements = ComingStatement.ReadAll(problem.Text);
        var items = StepText.Items(problem.ReferenceSolution!);
        items[^1].ShouldBe($"so {problem.ReferenceAnswer}", problem.Id);
        var run = new ConsistencyRun(statements);
        foreach (var item in items[..^1])
            run.Follow(item).ShouldBeTrue($"{problem.Id}: {item}");
        run.Conclusion().ShouldBe(problem.ReferenceAnswer, problem.Id);
        Accepts(problem.Text, problem.ReferenceAnswer).ShouldBeTrue(problem.Id);
    }

    public override bool IsTrue(string fact)
    {
        var statement = ComingStatement.ReadAll(fact).Single();
        var step = fact[(fact.IndexOf(" . ", StringComparison.Ordinal) + 3)..];
        return Step().Match(step) is { Success: true, Groups: var groups } && groups[2].Value == "2"
            && statement.Forces([.. groups[1].Value.Split(" , ", StringSplitOptions.RemoveEmptyEntries)]) is [var forced]
            && groups[3].Value == $"so {forced}";
    }

    private static List<HashSet<string>> Worlds(IReadOnlyList<ComingStatement> statements) =>
        ComingStatement.Subsets([.. statements.SelectMany(statement => statement.People).Distinct()])
            .Where(coming => statements.All(statement => statement.Holds(coming))).ToList();

    [GeneratedRegex("^((?:(?:not )?[a-z]+ , )*)([0-9]+) (so .+|no)$")]
    internal static partial Regex Step();
}

/// <summary>Follows a trace, and keeps of each conclusion the statements that it needs.</summary>
internal sealed class ConsistencyRun(IReadOnlyList<ComingStatement> statements)
{
    private Dictionary<string, HashSet<int>> known = [];
    private Dictionary<string, HashSet<int>> before = [];
    private readonly HashSet<int> used = [];
    private string? supposed;
    private bool isClosed;
    private int at;

    /// <returns>Whether the step is the next one of the procedure, and true.</returns>
    public bool Follow(string item)
    {
        if (item.StartsWith("if ", StringComparison.Ordinal))
            return Suppose(item[3..]);
        if (isClosed || ConsistencyOracle.Step().Match(item) is not { Success: true, Groups: var groups })
            return false;
        var because = groups[1].Value.Split(" , ", StringSplitOptions.RemoveEmptyEntries);
        var number = StepText.Number(groups[2].Value);
        if (number != Next() || !because.All(known.ContainsKey))
            return false;
        at = number - 1;
        var forced = statements[at].Forces(because);
        HashSet<int> needed = [number, .. because.SelectMany(literal => known[literal])];
        if (groups[3].Value == "no")
        {
            used.UnionWith(needed);
            isClosed = true;
            return forced is null;
        }

        var conclusion = groups[3].Value[3..];
        return forced?.Contains(conclusion) == true && known.TryAdd(conclusion, needed);
    }

    public string Conclusion()
    {
        if (isClosed && (supposed is null || supposed.StartsWith("not ", StringComparison.Ordinal)))
            return string.Join(" , ", used.Order());
        return !isClosed && Next() is null && statements.All(statement => statement.HoldsWith(known.Keys)) ? "consistent" : "open";
    }

    private bool Suppose(string literal)
    {
        var isFirst = supposed is null;
        var isOutOfTurn = isFirst
            ? isClosed || Next() is not null || literal.StartsWith("not ", StringComparison.Ordinal)
            : !isClosed || literal != $"not {supposed}";
        if (isOutOfTurn)
            return false;
        before = isFirst ? new(known) : before;
        known = new(before) { [literal] = [] };
        (supposed, isClosed, at) = (literal, false, 0);
        return !before.ContainsKey(literal);
    }

    /// <summary>The next statement, going on from the last one and round, that says something new or cannot hold.</summary>
    private int? Next()
    {
        for (var i = 0; i <= statements.Count; i++)
        {
            var number = (at + i) % statements.Count;
            var forced = statements[number].Forces([.. known.Keys]);
            if (forced is null || forced.Any(literal => !known.ContainsKey(literal)))
                return number + 1;
        }

        return null;
    }
}

/// <summary>A statement by its words.</summary>
internal sealed partial record ComingStatement(string Words)
{
    public string[] People => [.. Words.Split(' ').Where(word => !Others().IsMatch(word)).Distinct()];

    public static List<ComingStatement> ReadAll(string text) =>
        Numbered().Matches(text).Select(match => new ComingStatement(match.Groups[1].Value)).ToList();

    public bool Holds(IReadOnlySet<string> coming)
    {
        bool Comes(string clause) => coming.Contains(clause.Split(' ')[0]) != clause.Contains(" not ", StringComparison.Ordinal);
        if (Words.StartsWith("exactly one", StringComparison.Ordinal))
            return People.Count(coming.Contains) == 1;
        if (Words.Contains(" do not both ", StringComparison.Ordinal))
            return !People.All(coming.Contains);
        if (Words.Split(" if and only if ") is [var left, var right])
            return Comes(left) == Comes(right);
        if (Words.StartsWith("if ", StringComparison.Ordinal) && Words[3..].Split(" then ") is [var condition, var then])
            return !Comes(condition) || Comes(then);
        return Words.Split(" or ").Any(Comes);
    }

    /// <summary>Whatever else, it holds when these come and do not come.</summary>
    public bool HoldsWith(IEnumerable<string> literals) => Fitting([.. literals]).All(Holds);

    /// <returns>What must hold of its people beyond what is given; null when it cannot hold.</returns>
    public string[]? Forces(string[] literals)
    {
        var worlds = Fitting(literals).Where(Holds).ToList();
        if (worlds.Count == 0)
            return null;
        return [.. People.SelectMany(person => new[] { person, $"not {person}" }).Where(literal => !literals.Contains(literal)
            && worlds.All(world => Fits(literal, world)))];
    }

    public static List<HashSet<string>> Subsets(IReadOnlyList<string> people) => people.Aggregate(
        new List<HashSet<string>> { new() },
        (worlds, person) => [.. worlds, .. worlds.Select(world => new HashSet<string>(world) { person })]);

    private IEnumerable<HashSet<string>> Fitting(string[] literals) => Subsets(People)
        .Where(world => literals.Where(literal => People.Contains(literal.Split(' ')[^1])).All(literal => Fits(literal, world)));

    private static bool Fits(string literal, HashSet<string> world) =>
        world.Contains(literal.Split(' ')[^1]) != literal.StartsWith("not ", StringComparison.Ordinal);

    [GeneratedRegex(@"\( [0-9]+ \) ([a-z ]+?) \.")]
    private static partial Regex Numbered();

    [GeneratedRegex("^(?:if|then|and|or|only|exactly|one|of|do|does|not|both|come|comes|sing|sings|help|helps|work|works)$")]
    private static partial Regex Others();
}
