using System.Globalization;
using Distill.Verification;

namespace Distill.Data.Problems.Families.Consistency;

/// <summary>
/// Numbered statements about who comes: which of them contradict each other, none superfluous, or are they consistent? 3, 4 or 5 people
/// (levels 1 to 3). Half of the problems are consistent. Several smallest sets may be right; the reference is the one that the worked
/// solution finds. The unsatisfiable twin changes one statement so that the answer turns.
/// </summary>
internal sealed class ConsistencyFamily : ProblemFamily<ConsistencyContent>
{
    private const int MaxTries = 400;
    private const int MaxWords = 140;

    private static readonly string[] Questions =
    [
        "which statements contradict each other , each of them being needed ? or are they consistent ?",
        "find statements that contradict each other , none superfluous , or say consistent .",
    ];

    public override string Name => "consistency";

    public override string Domain => "logic";

    public override IVerifier Verifier { get; } = new ConsistencyVerifier();

    protected override IReadOnlyList<int> Ample { get; } = [2_000, 3_000, 1_000];

    protected override ConsistencyContent? Draw(RandomSource random, int level)
    {
        var people = level + 2;
        var statements = level switch { 1 => random.Between(4, 5), 2 => random.Between(5, 6), _ => random.Between(6, 7) };
        var consistent = random.Chance(50);
        return random.FirstOf(MaxTries, source => DrawContent(source, people, statements, consistent));
    }

    protected override ConsistencyContent? Perturb(ConsistencyContent original, TwinKind kind, RandomSource random) => kind switch
    {
        TwinKind.Renamed => original with { Names = random.Sample(original.Surroundings.FreeNames, original.Names.Count) },
        TwinKind.Irrelevant => original with { Surroundings = original.Surroundings.WithClause(random, original.Names) },
        TwinKind.Unsatisfiable => Turned(original, random),
        _ => null,
    };

    protected override string Signature(ConsistencyContent content) => "consistency:" + CanonicalForm.Of(
        [.. content.Names.Select(_ => "person")], [.. content.Statements.Select(statement => statement.ToRelation())]);

    protected override Wording Word(ConsistencyContent content)
    {
        var sentences = content.Statements.Select((statement, i) => string.Create(
            CultureInfo.InvariantCulture,
            $"( {i + 1} ) {AssertionText.Write(statement, content.Names, content.Verb, content.IsTurned[i])}"));
        var trace = ConsistencyTrace.Write(content.Statements, content.Names)
            ?? throw new InvalidOperationException("The content was drawn without checking its trace.");
        return new Wording(
            content.Surroundings.Around($"{string.Join(' ', sentences)} {content.Question}"),
            trace.Steps,
            ConsistencyTrace.Answer(trace.Used));
    }

    protected override string DrawFact(RandomSource random)
    {
        var names = random.Sample(Vocabulary.Names, 2);
        var known = new Literal(0, random.Chance(50));
        Assertion statement = random.Chance(70)
            ? new(AssertionKind.Or, known.Negated, new Literal(1, random.Chance(50)))
            : new(random.Pick([AssertionKind.ExactlyOne, AssertionKind.Equal]), new Literal(0, true), new Literal(1, true));
        var trace = ConsistencyTrace.Write([new Assertion(AssertionKind.Fact, known, known), statement], names)!;
        var text = AssertionText.Write(statement, names, random.Pick(AssertionText.Verbs), random.Chance(50));
        return $"( 2 ) {text} {trace.Steps.Split(" ; ")[1]}";
    }

    private static ConsistencyContent? DrawContent(RandomSource random, int people, int statements, bool consistent)
    {
        var drawn = Enumerable.Range(0, statements).Select(_ => DrawStatement(random, people)).ToList();
        var content = new ConsistencyContent(
            drawn,
            [.. drawn.Select(_ => random.Chance(40))],
            random.Sample(Vocabulary.Names, people),
            random.Pick(AssertionText.Verbs),
            random.Pick(Questions),
            Surroundings.None);
        return IsGood(content, consistent) ? content with { Surroundings = Surroundings.Draw(random, content.Names) } : null;
    }

    private static Assertion DrawStatement(RandomSource random, int people)
    {
        var pair = random.Sample(Enumerable.Range(0, people).ToList(), 2);
        var (first, second) = (new Literal(pair[0], random.Chance(50)), new Literal(pair[1], random.Chance(50)));
        var kind = random.Below(100);
        return kind switch
        {
            < 22 => new Assertion(AssertionKind.Fact, first, first),
            < 84 => new Assertion(AssertionKind.Or, first, second),
            _ => new Assertion(
                kind < 92 ? AssertionKind.ExactlyOne : AssertionKind.Equal, first with { Comes = true }, second with { Comes = true }),
        };
    }

    /// <summary>
    /// Everybody is spoken of, nothing is said twice, the worked solution decides, it needs no statement too many (by trying all ways of
    /// coming), and two statements alone contradict each other at level 1 only.
    /// </summary>
    private static bool IsGood(ConsistencyContent content, bool consistent)
    {
        var (statements, people) = (content.Statements, content.Names.Count);
        if (statements.Select(statement => statement.ToRelation().Text).Distinct().Count() != statements.Count
            || statements.SelectMany(statement => statement.People).Distinct().Count() != people
            || Satisfiability.IsContradiction(statements, people) == consistent
            || ConsistencyTrace.Write(statements, content.Names) is not { } trace
            || trace.Steps.Count(unit => unit == ' ') >= MaxWords)
            return false;
        return consistent
            || (trace.Used.Count > (people > 3 ? 2 : 1)
                && Satisfiability.IsMinimalContradiction([.. trace.Used.Select(i => statements[i])], people));
    }

    private static ConsistencyContent? Turned(ConsistencyContent original, RandomSource random)
    {
        var statements = original.Statements.ToArray();
        statements[random.Below(statements.Length)] = DrawStatement(random, original.Names.Count);
        var content = original with { Statements = statements };
        return IsGood(content, Satisfiability.IsContradiction(original.Statements, original.Names.Count)) ? content : null;
    }
}

/// <param name="Statements">In the order of the text, where they are numbered from 1.</param>
/// <param name="IsTurned">By statement: said the other way round.</param>
/// <param name="Names">By person.</param>
internal sealed record ConsistencyContent(
    IReadOnlyList<Assertion> Statements,
    IReadOnlyList<bool> IsTurned,
    IReadOnlyList<string> Names,
    string Verb,
    string Question,
    Surroundings Surroundings);
