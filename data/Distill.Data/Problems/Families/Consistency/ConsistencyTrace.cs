using System.Globalization;

namespace Distill.Data.Problems.Families.Consistency;

/// <summary>
/// The trace: what the statements force, one after the other (<c>anna , 2 so not ben</c>: with what is known of anna, statement 2 says that
/// ben does not come), until one cannot hold (<c>ben , 4 no</c>) or nothing more is forced. Where something stays open, one person is
/// supposed to come, and then not. What was used on the way to every <c>no</c> is the contradicting set.
/// </summary>
internal sealed class ConsistencyTrace
{
    private readonly IReadOnlyList<Assertion> statements;
    private readonly IReadOnlyList<string> names;
    private readonly List<string> items = [];

    private ConsistencyTrace(IReadOnlyList<Assertion> statements, IReadOnlyList<string> names) =>
        (this.statements, this.names) = (statements, names);

    /// <summary>The steps; the numbers (from 0) of the statements that were needed, empty when the statements are consistent.</summary>
    public sealed record Result(string Steps, IReadOnlyList<int> Used);

    /// <returns>Null when supposing one person is not enough to decide.</returns>
    public static Result? Write(IReadOnlyList<Assertion> statements, IReadOnlyList<string> names)
    {
        var trace = new ConsistencyTrace(statements, names);
        var used = trace.Run();
        if (used is null)
            return null;
        trace.items.Add($"so {Answer(used)}");
        return new Result(string.Join(" ; ", trace.items), used);
    }

    /// <summary>The answer in words: numbers from 1 in order, or that there is no contradiction.</summary>
    public static string Answer(IReadOnlyCollection<int> used) => used.Count == 0
        ? ConsistencyVerifier.Consistent
        : string.Join(" , ", used.Order().Select(i => (i + 1).ToString(CultureInfo.InvariantCulture)));

    private IReadOnlyList<int>? Run()
    {
        var known = new Knowledge();
        if (Propagate(known) is { } conflict)
            return conflict;
        if (Open(known) is not { } person)
            return [];
        HashSet<int> used = [];
        foreach (var comes in new[] { true, false })
        {
            var supposed = new Knowledge(known);
            supposed.Add(new Literal(person, comes), null, []);
            items.Add($"if {Say(new Literal(person, comes))}");
            if (Propagate(supposed) is not { } needed)
                return Open(supposed) is null ? [] : null;
            used.UnionWith(needed);
        }

        return [.. used];
    }

    /// <summary>Draws conclusions until there is nothing new.</summary>
    /// <returns>The statements that a contradiction needs, or null when there is none.</returns>
    private IReadOnlyList<int>? Propagate(Knowledge known)
    {
        for (var before = -1; before != known.Count;)
        {
            before = known.Count;
            for (var i = 0; i < statements.Count; i++)
            {
                foreach (var clause in statements[i].Clauses)
                {
                    var open = clause.Where(literal => known.Of(literal) is null).ToArray();
                    if (open.Length > 1 || clause.Any(literal => known.Of(literal) == true))
                        continue;
                    var because = clause.Where(literal => known.Of(literal) == false).Select(literal => literal.Negated).ToArray();
                    var start = string.Concat(because.Select(literal => $"{Say(literal)} , ")) + Number(i);
                    items.Add(open.Length == 0 ? $"{start} no" : $"{start} so {Say(open[0])}");
                    if (open.Length == 0)
                        return known.Needed(i, because);
                    known.Add(open[0], i, because);
                }
            }
        }

        return null;
    }

    /// <summary>The first person of a statement that may still be false; null when all hold whatever the others do.</summary>
    private int? Open(Knowledge known)
    {
        var open = statements.SelectMany(statement => statement.Clauses)
            .FirstOrDefault(clause => !clause.Any(literal => known.Of(literal) == true));
        return open?.First(literal => known.Of(literal) is null).Person;
    }

    private string Say(Literal literal) => literal.Comes ? names[literal.Person] : $"not {names[literal.Person]}";

    private static string Number(int statement) => (statement + 1).ToString(CultureInfo.InvariantCulture);

    /// <summary>Who comes and who does not, and which statements said so.</summary>
    private sealed class Knowledge
    {
        private readonly Dictionary<int, (bool Comes, HashSet<int> Because)> people = [];

        public Knowledge()
        {
        }

        public Knowledge(Knowledge other) => people = new(other.people);

        public int Count => people.Count;

        public bool? Of(Literal literal) => people.TryGetValue(literal.Person, out var known) ? known.Comes == literal.Comes : null;

        /// <param name="statement">Null for what is only supposed.</param>
        public void Add(Literal literal, int? statement, IReadOnlyList<Literal> because) =>
            people.Add(literal.Person, (literal.Comes, statement is { } i ? [.. Needed(i, because)] : []));

        public IReadOnlyList<int> Needed(int statement, IReadOnlyList<Literal> because) =>
            [.. because.SelectMany(literal => people[literal.Person].Because).Append(statement).Distinct()];
    }
}
